/*
 * An index as it is on the disk: superblock, device table, inodes with their extended attributes, then the blocks of
 * directories and links.
 *
 * Inodes are of the extended form; files are of one chunk each, whose place is on the extra device; directories and links are
 * plain. All numbers are little-endian, as on every processor that this runs on.
 */
#include "erofs.h"

#include <string.h>

#define MAGIC 0xE0F5E1E2u
#define SUPER_OFFSET 1024u
#define DEVICE_OFFSET (SUPER_OFFSET + 128u)
#define META_OFFSET 1536u /* a whole block behind both */
#define INCOMPAT_CHUNKED_FILE 0x4u
#define INCOMPAT_DEVICE_TABLE 0x8u
#define CHUNK_INDEXES 0x20u
#define CHUNK_BITS_MAX 31u
#define SLOT 32u /* inodes are counted in these */
#define INODE_SIZE 64u

#define LAYOUT_PLAIN 0u
#define LAYOUT_CHUNKS 4u

struct writer {
    struct erofs_tree *tree;
    unsigned char *image; /* owned */
    size_t size, capacity;
    uint64_t next;       /* offset of the next inode */
    uint64_t next_block; /* of the next directory or link */
    uint32_t numbers;
    struct tsc_err *err;
};

static void put16(unsigned char *at, unsigned value)
{
    uint16_t number = (uint16_t)value;

    memcpy(at, &number, sizeof(number));
}

static void put32(unsigned char *at, uint32_t value)
{
    memcpy(at, &value, sizeof(value));
}

static void put64(unsigned char *at, uint64_t value)
{
    memcpy(at, &value, sizeof(value));
}

static uint64_t round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

/* The name without its prefix, and the prefix' number. */
static const char *short_key(const char *key, unsigned *index)
{
    static const struct {
        const char *prefix;
        unsigned index;
    } prefixes[] = {
        { "user.", 1 }, { "system.posix_acl_access", 2 }, { "system.posix_acl_default", 3 }, { "trusted.", 4 }, { "security.", 6 },
    };

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (strncmp(key, prefixes[i].prefix, strlen(prefixes[i].prefix)) == 0) {
            *index = prefixes[i].index;
            return key + strlen(prefixes[i].prefix);
        }
    *index = 0;
    return key;
}

static uint64_t xattr_size(const struct erofs_inode *inode)
{
    uint64_t size = 0;
    unsigned index;

    for (const struct erofs_xattr *each = inode->xattrs; each != NULL; each = each->next)
        size += round_up(4 + strlen(short_key(each->key, &index)) + each->size, 4);
    return size == 0 ? 0 : 12 + size;
}

static bool has_chunk(const struct erofs_inode *inode)
{
    return S_ISREG(inode->mode) && inode->size > 0;
}

static size_t entry_size(const char *name)
{
    return 12 + strlen(name);
}

/* The names of a directory with "." and ".." in their places: `each` gets them one by one. */
static size_t names_of(const struct erofs_node *node, size_t at, const char **name, const struct erofs_node **target)
{
    size_t dots = 0, before = 0;

    /* Both sort before most names, but not before all: '-' and '!' are smaller. */
    while (before < node->count && strcmp(node->children[before]->name, ".") < 0)
        before++;
    dots = before;
    while (dots < node->count && strcmp(node->children[dots]->name, "..") < 0)
        dots++;
    if (at < before || at > dots + 1) {
        size_t child = at < before ? at : at - 2;

        *name = node->children[child]->name;
        *target = node->children[child];
    } else if (at == before) {
        *name = ".";
        *target = node;
    } else if (at == dots + 1) {
        *name = "..";
        *target = node->parent == NULL ? node : node->parent;
    } else {
        *name = node->children[at - 1]->name;
        *target = node->children[at - 1];
    }
    return node->count + 2;
}

/* How many names fit into the block that begins with number `at`. */
static size_t fit(const struct erofs_node *node, size_t at)
{
    const struct erofs_node *target;
    const char *name;
    size_t used = 0, count = 0;

    while (at + count < node->count + 2) {
        names_of(node, at + count, &name, &target);
        if (used + entry_size(name) > EROFS_BLOCK)
            break;
        used += entry_size(name);
        count++;
    }
    return count;
}

/* The size is that of whole blocks but for the last, which ends with its names. */
static uint64_t directory_size(const struct erofs_node *node)
{
    const struct erofs_node *target;
    const char *name;
    uint64_t size = 0;

    for (size_t at = 0; at < node->count + 2;) {
        size_t count = fit(node, at);
        size_t used = 0;

        for (size_t i = 0; i < count; i++) {
            names_of(node, at + i, &name, &target);
            used += entry_size(name);
        }
        at += count;
        size += at < node->count + 2 ? EROFS_BLOCK : used;
    }
    return size;
}

static int place(struct writer *writer, struct erofs_node *node)
{
    struct erofs_inode *inode = node->inode;

    if (!inode->placed) {
        inode->placed = true;
        inode->offset = writer->next;
        inode->number = ++writer->numbers;
        writer->next += INODE_SIZE + xattr_size(inode);
        if (has_chunk(inode))
            writer->next = round_up(writer->next, 8) + 8;
        writer->next = round_up(writer->next, SLOT);
    }
    for (size_t i = 0; i < node->count; i++)
        if (place(writer, node->children[i]) < 0)
            return -1;
    if (S_ISDIR(inode->mode))
        inode->size = directory_size(node);
    return 0;
}

static void place_data(struct writer *writer, struct erofs_node *node)
{
    struct erofs_inode *inode = node->inode;

    if ((S_ISDIR(inode->mode) || S_ISLNK(inode->mode)) && inode->data_block == 0) {
        inode->data_block = (uint32_t)writer->next_block;
        writer->next_block += round_up(inode->size, EROFS_BLOCK) >> EROFS_BLOCK_BITS;
    }
    for (size_t i = 0; i < node->count; i++)
        place_data(writer, node->children[i]);
}

static void write_xattrs(unsigned char *at, const struct erofs_inode *inode)
{
    at += 12; /* a header of zeros: no shared ones, no filter */
    for (const struct erofs_xattr *each = inode->xattrs; each != NULL; each = each->next) {
        unsigned index;
        const char *name = short_key(each->key, &index);
        size_t length = strlen(name);

        at[0] = (unsigned char)length;
        at[1] = (unsigned char)index;
        put16(at + 2, (unsigned)each->size);
        memcpy(at + 4, name, length);
        memcpy(at + 4 + length, each->value, each->size);
        at += round_up(4 + length + each->size, 4);
    }
}

static unsigned chunk_bits(uint64_t size)
{
    unsigned bits = 0;

    while (bits < CHUNK_BITS_MAX && ((uint64_t)EROFS_BLOCK << bits) < size)
        bits++;
    return bits;
}

static uint32_t device_number(const struct erofs_inode *inode)
{
    return (inode->minor & 0xff) | (inode->major << 8) | ((inode->minor & ~0xffu) << 12);
}

static void write_inode(struct writer *writer, const struct erofs_node *node)
{
    const struct erofs_inode *inode = node->inode;
    unsigned char *at = writer->image + inode->offset;
    uint64_t xattrs = xattr_size(inode);
    uint32_t links = inode->links;

    if (S_ISDIR(inode->mode)) {
        links = 2;
        for (size_t i = 0; i < node->count; i++)
            links += S_ISDIR(node->children[i]->inode->mode) ? 1 : 0;
    }
    put16(at, 1u | (has_chunk(inode) ? LAYOUT_CHUNKS : LAYOUT_PLAIN) << 1);
    put16(at + 2, xattrs == 0 ? 0 : (unsigned)(1 + (xattrs - 12) / 4));
    put16(at + 4, inode->mode);
    put64(at + 8, inode->size);
    if (has_chunk(inode))
        put32(at + 16, CHUNK_INDEXES | chunk_bits(inode->size));
    else if (S_ISCHR(inode->mode) || S_ISBLK(inode->mode))
        put32(at + 16, device_number(inode));
    else
        put32(at + 16, inode->data_block);
    put32(at + 20, inode->number);
    put32(at + 24, inode->uid);
    put32(at + 28, inode->gid);
    put64(at + 32, (uint64_t)inode->mtime.tv_sec);
    put32(at + 40, (uint32_t)inode->mtime.tv_nsec);
    put32(at + 44, links);
    if (xattrs > 0)
        write_xattrs(at + INODE_SIZE, inode);
    if (has_chunk(inode)) {
        unsigned char *chunk = writer->image + round_up(inode->offset + INODE_SIZE + xattrs, 8);

        put16(chunk + 2, 1); /* the first extra device */
        put32(chunk + 4, (uint32_t)inode->first_block);
    }
}

static unsigned char file_type(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return 1;
    case S_IFDIR:
        return 2;
    case S_IFCHR:
        return 3;
    case S_IFBLK:
        return 4;
    case S_IFIFO:
        return 5;
    default:
        return 7; /* a link; there are no sockets in archives */
    }
}

static void write_directory(struct writer *writer, const struct erofs_node *node)
{
    unsigned char *block = writer->image + ((uint64_t)node->inode->data_block << EROFS_BLOCK_BITS);

    for (size_t at = 0; at < node->count + 2; block += EROFS_BLOCK) {
        size_t count = fit(node, at);
        size_t offset = 12 * count;

        for (size_t i = 0; i < count; i++) {
            const struct erofs_node *target;
            const char *name;

            names_of(node, at + i, &name, &target);
            put64(block + 12 * i, target->inode->offset / SLOT);
            put16(block + 12 * i + 8, (unsigned)offset);
            block[12 * i + 10] = file_type(target->inode->mode);
            memcpy(block + offset, name, strlen(name));
            offset += strlen(name);
        }
        at += count;
    }
}

static void write_all(struct writer *writer, const struct erofs_node *node)
{
    struct erofs_inode *inode = node->inode;

    if (!inode->written) {
        inode->written = true;
        write_inode(writer, node);
        if (S_ISDIR(inode->mode))
            write_directory(writer, node);
        else if (S_ISLNK(inode->mode))
            memcpy(writer->image + ((uint64_t)inode->data_block << EROFS_BLOCK_BITS), inode->target, inode->size);
    }
    for (size_t i = 0; i < node->count; i++)
        write_all(writer, node->children[i]);
}

static void write_super(struct writer *writer, uint64_t data_blocks)
{
    unsigned char *super = writer->image + SUPER_OFFSET;
    unsigned char *device = writer->image + DEVICE_OFFSET;

    put32(super, MAGIC);
    super[12] = EROFS_BLOCK_BITS;
    put16(super + 14, (unsigned)(writer->tree->root->inode->offset / SLOT));
    put64(super + 16, writer->numbers);
    put32(super + 36, (uint32_t)(writer->size >> EROFS_BLOCK_BITS));
    put32(super + 80, INCOMPAT_CHUNKED_FILE | (data_blocks > 0 ? INCOMPAT_DEVICE_TABLE : 0));
    if (data_blocks == 0)
        return;
    put16(super + 86, 1);
    put16(super + 88, DEVICE_OFFSET / 128);
    put32(device + 64, (uint32_t)data_blocks);
}

int erofs_write(struct erofs_tree *tree, uint64_t data_blocks, int fd, struct tsc_err *err)
{
    struct writer writer = { .tree = tree, .next = META_OFFSET, .err = err };
    int result;

    if (data_blocks > UINT32_MAX)
        return tsc_fail(err, EOPNOTSUPP, EROFS_UNFIT, "more than 2 TiB");
    if (place(&writer, tree->root) < 0)
        return -err->errnum;
    writer.next_block = round_up(writer.next, EROFS_BLOCK) >> EROFS_BLOCK_BITS;
    place_data(&writer, tree->root);
    writer.size = (size_t)writer.next_block << EROFS_BLOCK_BITS;
    if (writer.next_block > UINT32_MAX)
        return tsc_fail(err, EOPNOTSUPP, EROFS_UNFIT, "too many entries");
    writer.image = calloc(1, writer.size);
    if (writer.image == NULL)
        return tsc_fail(err, ENOMEM, "malloc", "index of %zu bytes", writer.size);
    write_all(&writer, tree->root);
    write_super(&writer, data_blocks);
    result = tsc_write_all(fd, writer.image, writer.size);
    free(writer.image);
    return result < 0 ? tsc_fail(err, -result, "write", "index") : 0;
}

import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { unpack, withDirectory } from '../../helpers/layer-fixtures.js';
import {
  base256,
  gnuLong,
  padded,
  paxHeader,
  paxRecord,
  rawPaxHeader,
  tarHeader,
  tarMember,
  tarOf,
} from '../../helpers/tar-builder.js';
import { listTree, type TreeEntry } from '../../helpers/tree-listing.js';

/** Unpacks and lists; the archive must be good. */
async function tree(archive: Buffer, flags: readonly string[] = []): Promise<Map<string, TreeEntry>> {
  return withDirectory(async (directory) => {
    const report = await unpack(directory, archive, flags);
    assert.equal(report.failure, undefined, JSON.stringify(report.failure));
    const entries = await listTree(join(directory, 'fs'));
    return new Map(entries.map((entry) => [entry.path, entry]));
  });
}

test('every type of entry keeps its attributes', async () => {
  const files = await tree(
    tarOf(
      { name: './', type: '5', mode: 0o751, uid: 7, gid: 8, mtime: 1_600_000_000 },
      { name: 'd/', type: '5', mode: 0o2775, uid: 5, gid: 6, mtime: 1_500_000_000 },
      { name: 'd/f', mode: 0o4755, uid: 1000, gid: 2000, content: 'hello', mtime: 1_400_000_000 },
      { name: 'd/l', type: '2', link: '/etc/passwd', uid: 3, gid: 4, mtime: 1_300_000_000 },
      { name: 'd/h', type: '1', link: 'd/f' },
      { name: 'd/c', type: '3', mode: 0o620, major: 5, minor: 300, gid: 5 },
      { name: 'd/b', type: '4', mode: 0o660, major: 259, minor: 70_000 },
      { name: 'd/p', type: '6', mode: 0o600 },
    ),
  );
  const seconds = (value: number): string => `${value}000000000`;
  assert.deepEqual(files.get(''), {
    path: '',
    type: 'directory',
    mode: '751',
    owner: '7:8',
    mtime: seconds(1_600_000_000),
  });
  assert.deepEqual(files.get('d'), {
    path: 'd',
    type: 'directory',
    mode: '2775',
    owner: '5:6',
    mtime: seconds(1_500_000_000),
  });
  const file = files.get('d/f');
  assert.equal(file?.mode, '4755');
  assert.equal(file?.owner, '1000:2000');
  assert.equal(file?.mtime, seconds(1_400_000_000));
  assert.equal(files.get('d/h')?.sameFileAs, 'd/f');
  assert.equal(files.get('d/l')?.target, '/etc/passwd');
  assert.equal(files.get('d/l')?.owner, '3:4');
  assert.equal(files.get('d/l')?.mtime, seconds(1_300_000_000));
  assert.equal(files.get('d/c')?.device, '5:300');
  assert.equal(files.get('d/c')?.owner, '0:5');
  assert.equal(files.get('d/b')?.device, '259:70000');
  assert.equal(files.get('d/p')?.type, 'fifo');
});

test('long names work in every way that archives have for them', async () => {
  const long = `${'a'.repeat(90)}/${'b'.repeat(90)}/${'c'.repeat(120)}`;
  const link = `${'t'.repeat(150)}/x`;
  const files = await tree(
    tarOf(
      { name: 'n'.repeat(100), content: '100 bytes, no NUL' },
      { name: 'b'.repeat(90), prefix: 'p'.repeat(155), content: 'ustar prefix' },
      { name: 'x', pax: { path: `pax/${long}`, linkpath: link }, type: '2' },
      gnuLong('K', link),
      gnuLong('L', `gnu/${long}`),
      tarMember({ name: 'x', type: '2', magic: 'ustar  \0' }),
      { name: 'old', magic: '', content: 'v7' },
      { name: 'olddir/', magic: '', type: '\0', mode: 0o700 },
    ),
  );
  assert.equal(files.get('n'.repeat(100))?.type, 'file');
  assert.equal(files.get(`${'p'.repeat(155)}/${'b'.repeat(90)}`)?.type, 'file');
  assert.equal(files.get(`pax/${long}`)?.target, link);
  assert.equal(files.get(`gnu/${long}`)?.target, link);
  assert.equal(files.get('old')?.type, 'file');
  assert.equal(files.get('olddir')?.mode, '700');
});

test('names are bytes', async () => {
  const odd = Buffer.from([0x66, 0xff, 0xe9, 0x0a, 0x20, 0x5c]);
  const files = await tree(tarOf({ name: odd, content: 'x', checksum: 'signed' }));
  assert.equal(files.get(odd.toString('latin1'))?.type, 'file');
});

test('numbers may be base-256 and PAX records, with nanoseconds', async () => {
  const files = await tree(
    tarOf(
      { name: 'base256', raw: { 108: base256(3_000_000n, 8), 116: base256(4_000_000n, 8), 136: base256(-5n, 12) } },
      { name: 'pax', pax: { uid: '5000000', gid: '6000000', mtime: '1700000000.123456789123' } },
      { name: 'before', pax: { mtime: '-1.25' } },
      { name: 'size', size: 0, pax: { size: '3' } },
      padded(Buffer.from('abc')),
      { name: 'after', content: 'z' },
    ),
  );
  assert.equal(files.get('base256')?.owner, '3000000:4000000');
  assert.equal(files.get('base256')?.mtime, '-5000000000');
  assert.equal(files.get('pax')?.owner, '5000000:6000000');
  assert.equal(files.get('pax')?.mtime, '1700000000123456789');
  assert.equal(files.get('before')?.mtime, '-1250000000');
  assert.match(files.get('size')?.content ?? '', / 3$/);
  assert.equal(files.get('after')?.type, 'file');
});

test('extended attributes are binary-safe, capabilities survive, those of overlayfs are dropped', async () => {
  const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
  await withDirectory(async (directory) => {
    const report = await unpack(
      directory,
      tarOf({
        name: 'f',
        mode: 0o4755,
        content: 'x',
        pax: {
          'SCHILY.xattr.user.odd': Buffer.from([0, 10, 61, 255]),
          'SCHILY.xattr.security.capability': capability,
          'SCHILY.xattr.trusted.overlay.opaque': 'y',
          'SCHILY.xattr.user.overlay.redirect': '/x',
          'SCHILY.xattr.security.selinux': 'label',
        },
      }),
    );
    assert.equal(report.failure, undefined);
    const [, file] = await listTree(join(directory, 'fs'));
    assert.deepEqual(file?.xattrs, [`security.capability=0x${capability.toString('hex')}`, 'user.odd=0x000a3dff']);
    assert.equal(file?.mode, '4755');
    assert.deepEqual(report.warnings.map(({ entry }) => entry).sort(), [
      'security.selinux',
      'trusted.overlay.opaque',
      'user.overlay.redirect',
    ]);
  });
});

test('a global PAX header gives defaults, an entry has the last word', async () => {
  const files = await tree(
    tarOf(
      paxHeader({ uid: '11', mtime: '5', comment: 'c' }, 'g'),
      { name: 'a', uid: 1 },
      { name: 'b', pax: { uid: '12' } },
    ),
  );
  assert.equal(files.get('a')?.owner, '11:0');
  assert.equal(files.get('a')?.mtime, '5000000000');
  assert.equal(files.get('b')?.owner, '12:0');
});

test('an empty PAX value takes a record back', async () => {
  const body = Buffer.concat([
    paxRecord('path', 'wrong'),
    paxRecord('path', ''),
    paxRecord('uid', '5'),
    paxRecord('uid', ''),
  ]);
  const files = await tree(tarOf(rawPaxHeader(body), { name: 'right', uid: 9 }));
  assert.equal(files.get('right')?.owner, '9:0');
});

/** A file of 1 MiB with 'head' at the start and 'tail' at the end. */
const sparseSize = 1024 * 1024;
const sparseContent = Buffer.alloc(sparseSize);
sparseContent.write('head', 0);
sparseContent.write('tail', sparseSize - 4);

function sparseArchives(): Record<string, Buffer> {
  const size = sparseSize;
  const octal = (value: number): string => `${value.toString(8).padStart(11, '0')}\0`;
  const stored = padded(Buffer.from('headtail'));
  const mapData = Buffer.from(`2\n0\n4\n${size - 4}\n4\n`);
  const pairs = [
    ['GNU.sparse.size', String(size)],
    ['GNU.sparse.numblocks', '2'],
    ['GNU.sparse.offset', '0'],
    ['GNU.sparse.numbytes', '4'],
    ['GNU.sparse.offset', String(size - 4)],
    ['GNU.sparse.numbytes', '4'],
  ] as const;
  return {
    'old GNU': Buffer.concat([
      tarHeader({
        name: 's',
        type: 'S',
        size: 8,
        magic: 'ustar  \0',
        raw: { 386: octal(0) + octal(4) + octal(size - 4) + octal(4), 483: octal(size) },
      }),
      stored,
    ]),
    'old GNU, extended': Buffer.concat([
      tarHeader({
        name: 's',
        type: 'S',
        size: 8,
        magic: 'ustar  \0',
        raw: {
          386: octal(0) + octal(1) + octal(1) + octal(1) + octal(2) + octal(1) + octal(3) + octal(1),
          482: '\x01',
          483: octal(size),
        },
      }),
      padded(Buffer.from(octal(size - 4) + octal(4))),
      stored,
    ]),
    'PAX 0.0': Buffer.concat([
      rawPaxHeader(Buffer.concat(pairs.map(([key, value]) => paxRecord(key, value)))),
      tarHeader({ name: 's', size: 8 }),
      stored,
    ]),
    'PAX 0.1': tarMember({
      name: 'GNUSparseFile.0/s',
      content: 'headtail',
      pax: { 'GNU.sparse.name': 's', 'GNU.sparse.size': String(size), 'GNU.sparse.map': `0,4,${size - 4},4` },
    }),
    'PAX 1.0': Buffer.concat([
      paxHeader({
        'GNU.sparse.major': '1',
        'GNU.sparse.minor': '0',
        'GNU.sparse.name': 's',
        'GNU.sparse.realsize': String(size),
      }),
      tarHeader({ name: 'GNUSparseFile.0/s', size: 512 + 8 }),
      padded(mapData),
      stored,
    ]),
  };
}

for (const [format, archive] of Object.entries(sparseArchives())) {
  test(`sparse files of format ${format} get their content and their holes`, async () => {
    await withDirectory(async (directory) => {
      const report = await unpack(directory, tarOf(archive, { name: 'next', content: 'n' }));
      assert.equal(report.failure, undefined, JSON.stringify(report.failure));
      assert.ok((await readFile(join(directory, 'fs/s'))).equals(sparseContent));
      assert.ok((await stat(join(directory, 'fs/s'))).blocks * 512 < sparseSize / 4, 'holes are holes');
      assert.equal(await readFile(join(directory, 'fs/next'), 'utf8'), 'n');
    });
  });
}

test('a later entry of the same name wins', async () => {
  const files = await tree(
    tarOf(
      { name: 'f', content: 'one' },
      { name: 'f', content: 'other' },
      { name: 'd/', type: '5' },
      { name: 'd/inside', content: 'x' },
      { name: 'd', type: '2', link: 'f' },
      { name: 'x', type: '2', link: 'f' },
      { name: 'x', type: '5', mode: 0o700 },
      { name: 'k/', type: '5', mode: 0o700, pax: { 'SCHILY.xattr.user.a': '1' } },
      { name: 'k/f', content: 'kept' },
      { name: 'k/', type: '5', mode: 0o711, uid: 3 },
    ),
  );
  assert.match(files.get('f')?.content ?? '', / 5$/);
  assert.equal(files.get('d')?.target, 'f');
  assert.equal(files.has('d/inside'), false);
  assert.equal(files.get('x')?.type, 'directory');
  assert.deepEqual(files.get('x')?.xattrs, ['trusted.overlay.opaque=0x79']);
  assert.equal(files.get('k')?.mode, '711');
  assert.equal(files.get('k')?.xattrs, undefined);
  assert.equal(files.get('k/f')?.type, 'file');
});

test('missing directories are made root:root 0755 and reported, until an entry describes them', async () => {
  await withDirectory(async (directory) => {
    const archive = tarOf(
      { name: 'a/b/c/f', content: 'x' },
      { name: 'a/b/', type: '5', mode: 0o700 },
      { name: 'link', type: '2', link: '/far/away' },
      { name: 'link/g', content: 'y' },
    );
    const report = await unpack(directory, archive);
    assert.deepEqual(report.implicit, ['a', 'a/b/c', 'far', 'far/away']);
    const files = new Map((await listTree(join(directory, 'fs'))).map((entry) => [entry.path, entry]));
    assert.equal(files.get('a')?.mode, '755');
    assert.equal(files.get('a')?.mtime, '0');
    assert.equal(files.get('a/b')?.mode, '700');
    assert.equal(files.get('a/b')?.mtime, '1700000000000000000');
    assert.equal(files.get('far/away/g')?.type, 'file');
  });
});

test('whiteouts become what overlayfs understands, wherever they are in the archive', async () => {
  await withDirectory(async (directory) => {
    const archive = tarOf(
      { name: '.wh.gone' },
      { name: 'd/', type: '5' },
      { name: 'd/f', content: 'x' },
      { name: 'd/.wh..wh..opq' },
      { name: 'kept', content: 'k' },
      { name: '.wh.kept' },
      { name: '.wh.dir' },
      { name: 'dir/', type: '5', mode: 0o750 },
      { name: 'late/', type: '5' },
      { name: '.wh.late' },
      { name: '.wh.implied' },
      { name: 'implied/f', content: 'i' },
      { name: '.wh..wh.plnk/1.2', content: 'ignored' },
      { name: '.wh..wh.aufs' },
    );
    const report = await unpack(directory, archive);
    assert.equal(report.failure, undefined, JSON.stringify(report.failure));
    const files = new Map((await listTree(join(directory, 'fs'))).map((entry) => [entry.path, entry]));
    assert.equal(files.get('gone')?.device, '0:0');
    assert.equal(files.get('kept')?.type, 'file');
    for (const path of ['d', 'dir', 'late', 'implied'])
      assert.deepEqual(files.get(path)?.xattrs, ['trusted.overlay.opaque=0x79'], path);
    assert.deepEqual(
      [...files.keys()].sort(),
      ['', 'd', 'd/f', 'dir', 'gone', 'implied', 'implied/f', 'kept', 'late'].sort(),
    );
  });
});

test('the user variant marks opaque directories with a user attribute', async () => {
  const files = await tree(tarOf({ name: 'd/', type: '5' }, { name: 'd/.wh..wh..opq' }), [
    '--opaque',
    'user.overlay.opaque',
  ]);
  assert.deepEqual(files.get('d')?.xattrs, ['user.overlay.opaque=0x79']);
});

test('hard links to what is not in the layer are reported', async () => {
  await withDirectory(async (directory) => {
    const report = await unpack(directory, tarOf({ name: 'l', type: '1', link: '/usr/bin/perl' }));
    assert.deepEqual(report.links, [{ path: 'l', target: 'usr/bin/perl' }]);
  });
});

test('garbage after the end is ignored, a missing end is not missed', async () => {
  const archive = tarOf({ name: 'f', content: 'x' });
  assert.equal((await tree(Buffer.concat([archive, Buffer.alloc(300_000, 'g')]))).get('f')?.type, 'file');
  assert.equal((await tree(archive.subarray(0, 1024))).get('f')?.type, 'file');
  assert.equal((await tree(archive.subarray(0, 1536))).get('f')?.type, 'file');
  assert.equal((await tree(Buffer.alloc(0))).size, 1);
});

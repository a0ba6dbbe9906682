import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { busyboxImage, busyboxRoot } from './busybox-image.js';
import { debianNginxImage } from './debian-image.js';
import { debianRoot } from './debian-root.js';
import { type ImageLayout, makeImageLayout } from './image-layout.js';
import { writeOciLayout } from './oci-layout.js';
import { dockerIn, podmanIn, skopeoIn } from './other-engines.js';
import { runChecked } from './run-checked.js';
import { type TarMember, tarOf } from './tar-builder.js';

/** An image of {@link imageCorpus}. */
export interface CorpusImage {
  readonly title: string;
  readonly layout: ImageLayout;
  /** The same tree in a layout that umoci can unpack, or unpacked, where it cannot. */
  readonly like?: ImageLayout;
  readonly tree?: string;
  /** It has more entries than this: a guard against a comparison of nothing. Default 1. */
  readonly smallest?: number;
}

/** Images that different tools have made, and some whose layers no tool makes: below `directory`, as OCI layouts. */
export async function imageCorpus(directory: string): Promise<readonly CorpusImage[]> {
  const images: CorpusImage[] = [
    { title: 'Debian in eight layers, one of them odd, by umoci', layout: await debianNginxImage() },
    { title: 'busybox in one layer, by umoci', layout: await busyboxImage() },
  ];
  const add = (title: string, path: string): void => void images.push({ title, layout: { path, tag: 'latest' } });
  for (const [name, { title, layers }] of Object.entries(byHand)) {
    await writeOciLayout(join(directory, name), 'latest', layers.map(toArchive));
    add(`${title}, by hand`, join(directory, name));
  }
  const five = join(directory, 'five');
  await mkdir(five);
  await runChecked('sh', ['-euc', repack, 'sh', await debianRoot(), five]);
  const repacked = { path: join(five, 'image'), tag: 'latest' };
  images.push({ title: 'Debian in five layers, by umoci repack', layout: repacked, smallest: 5000 });
  await mkdir(join(directory, 'sparse'));
  images.push(await sparseImage(join(directory, 'sparse')));
  await mkdir(join(directory, 'context'));
  await writeBuildContext(join(directory, 'context'));
  const built = await builtByDocker(directory, join(directory, 'context'));
  add('a Dockerfile, by docker build', built);
  add('the same, by buildah in podman build', await builtByPodman(directory, join(directory, 'context')));
  const source = `oci:${built}:latest`;
  const skopeo = await skopeoIn(directory);
  const zstd = join(directory, 'zstd');
  const format = ['--format', 'oci', '--dest-compress-format', 'zstd', '--dest-compress-level', '1'];
  await skopeo('copy', '--quiet', ...format, source, `oci:${zstd}:latest`);
  const like = { path: built, tag: 'latest' };
  images.push({ title: 'compressed with zstd, by skopeo', layout: { path: zstd, tag: 'latest' }, like });
  const plain = join(directory, 'plain');
  await skopeo('copy', '--quiet', source, `docker-archive:${plain}.tar:built:latest`);
  await skopeo('copy', '--quiet', '--dest-decompress', `docker-archive:${plain}.tar`, `dir:${plain}.dir`);
  await skopeo('copy', '--quiet', `dir:${plain}.dir`, `oci:${plain}:latest`);
  add('through Docker’s formats and back, by skopeo', plain);
  return images;
}

const file = (name: string | Buffer, content = String(name), more: Partial<TarMember> = {}): TarMember => ({
  name,
  content,
  mtime: 1_000_000_000,
  ...more,
});
const directory = (name: string, more: Partial<TarMember> = {}): TarMember => ({
  name: `${name}/`,
  type: '5',
  mode: 0o755,
  mtime: 1_000_000_000,
  ...more,
});
const hardLink = (name: string, link: string): TarMember => ({ name, type: '1', link });
const symbolicLink = (name: string, link: string): TarMember => ({ name, type: '2', link, mtime: 1_000_000_000 });
const whiteout = (path: string): TarMember => ({ name: path.replace(/([^/]*)$/, '.wh.$1') });
const opaque = (path: string): TarMember => ({ name: `${path}/.wh..wh..opq` });
const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');

/** Every stack begins with a root directory: tools disagree about one that no layer describes. */
const toArchive = (members: readonly TarMember[]): Buffer => tarOf(directory('.'), ...members);

const byHand: Readonly<Record<string, { readonly title: string; readonly layers: readonly (readonly TarMember[])[] }>> =
  {
    opaque: {
      title: 'opaque directories in every position',
      layers: [
        [
          ...['a', 'b', 'c', 'd'].flatMap((name) => [directory(name), file(`${name}/old`), directory(`${name}/sub`)]),
          ...['a', 'b', 'c', 'd'].map((name) => file(`${name}/sub/old`)),
          ...[directory('first'), opaque('first'), file('first/kept')],
        ],
        [
          ...[directory('a'), opaque('a'), file('a/new')],
          ...[directory('b'), file('b/new'), opaque('b')],
          ...[directory('c'), directory('c/sub', { mode: 0o700 }), file('c/sub/new'), opaque('c/sub')],
          ...[directory('d', { mode: 0o711, uid: 3 }), opaque('d')],
        ],
        [
          ...[directory('a'), file('a/newest')],
          ...[directory('b'), opaque('b'), directory('b/sub'), file('b/sub/newest')],
          ...[directory('d'), directory('d/sub'), opaque('d/sub'), file('d/sub/newest')],
        ],
      ],
    },
    links: {
      title: 'hard links across layers',
      layers: [
        [directory('d'), file('d/one'), file('d/two', 'two', { mode: 0o4755 }), symbolicLink('d/link', 'one')],
        [directory('d'), hardLink('d/three', 'd/one'), hardLink('four', 'd/two'), hardLink('five', 'four')],
        [directory('d'), whiteout('d/one'), hardLink('six', 'd/three')],
      ],
    },
    again: {
      title: 'what is removed and made again',
      layers: [
        [
          ...['d', 'e', 'f', 'g'].flatMap((name) => [directory(name), file(`${name}/old`)]),
          ...[file('file'), symbolicLink('link', 'd'), directory('deep'), directory('deep/er'), file('deep/er/old')],
        ],
        [whiteout('d'), directory('d', { mode: 0o700, uid: 5 }), file('d/new'), whiteout('e'), whiteout('file')],
        [directory('e'), file('e/new'), directory('file'), file('file/inside'), whiteout('f'), whiteout('link')],
        [file('f', 'a file now'), directory('link'), file('link/inside'), whiteout('deep/er'), whiteout('g')],
        [directory('deep'), directory('deep/er'), file('deep/er/new'), whiteout('f'), symbolicLink('g', 'deep/er')],
      ],
    },
    devices: {
      title: 'devices, special modes and capabilities',
      layers: [
        [
          directory('dev'),
          { name: 'dev/null', type: '3', major: 1, minor: 3, mode: 0o666, mtime: 1_000_000_000 },
          { name: 'dev/large', type: '3', major: 511, minor: 300_000, mode: 0o600, mtime: 1_000_000_000 },
          { name: 'dev/disk', type: '4', major: 7, minor: 300, mode: 0o660, gid: 6, mtime: 1_000_000_000 },
          { name: 'dev/fifo', type: '6', mode: 0o640, uid: 7, mtime: 1_000_000_000 },
          directory('sticky', { mode: 0o1777 }),
          directory('set-group', { mode: 0o2750, gid: 2_000_000 }),
          file('su', 'su', { mode: 0o4711 }),
          file('sg', 'sg', { mode: 0o2755, gid: 42 }),
          file('capable', 'capable', { mode: 0o755, pax: { 'SCHILY.xattr.security.capability': capability } }),
          file('noted', 'noted', { pax: { 'SCHILY.xattr.user.note': 'a\0b' } }),
          directory('noted-too', { pax: { 'SCHILY.xattr.user.note': 'c' } }),
        ],
        [directory('dev'), whiteout('dev/disk'), file('su', 'plain now', { mode: 0o644 }), whiteout('capable')],
      ],
    },
    names: {
      title: 'names of every kind',
      layers: [
        [
          file(Buffer.from('caf\xe9', 'latin1'), 'latin-1'),
          file('café', 'UTF-8'),
          file('n'.repeat(255), '255 bytes', { name: 'short', pax: { path: 'n'.repeat(255) } }),
          file('sp ace\n"quoted"\\', 'odd'),
          file('-rf', 'dash'),
          file('a:b,c', 'separators of overlayfs'),
          directory('x'.repeat(90)),
          file('deep', 'deep', { pax: { path: `${'x'.repeat(90)}/${'y'.repeat(200)}` } }),
          symbolicLink('far', 't'.repeat(99)),
          { name: 'farther', type: '2', mtime: 1_000_000_000, pax: { linkpath: `/${'t/'.repeat(1000)}` } },
        ],
        [whiteout('sp ace\n"quoted"\\'), { name: Buffer.from('.wh.caf\xe9', 'latin1') }, whiteout('a:b,c')],
      ],
    },
    twice: {
      title: 'entries that come twice',
      layers: [
        [
          ...[file('twice', 'first'), file('twice', 'second', { mode: 0o600 })],
          ...[directory('d', { mode: 0o700 }), file('d/kept'), directory('d', { mode: 0o755, uid: 4 })],
          ...[symbolicLink('was-link', 'd'), file('was-link', 'a file')],
          ...[file('was-file'), symbolicLink('was-file', 'twice')],
          ...[file('linked', 'linked'), hardLink('other', 'linked'), file('linked', 'on its own')],
        ],
        [file('twice', 'third'), file('twice', 'fourth')],
      ],
    },
    numbers: {
      title: 'numbers beyond the fields of a header',
      layers: [
        [
          file('size', 'x'.repeat(3000), { size: 0, pax: { size: '3000' } }),
          file('owner', 'owner', { pax: { uid: '4000000000', gid: '3000000' } }),
          file('time', 'time', { pax: { mtime: '1234567890.123456789' } }),
          file('future', 'future', { pax: { mtime: '5000000000' } }),
          file('past', 'past', { pax: { mtime: '-86400.5' } }),
        ],
      ],
    },
  };

/** Five layers: four slices of the tree and one that changes, hides, replaces, links and extends what is below. */
const repack = `
root=$1 work=$2
cd "$work"
umoci init --layout image
umoci new --image image:latest
umoci unpack --image image:latest bundle >/dev/null
add() { umoci repack --refresh-bundle --image image:latest bundle >/dev/null; }
slice() { (cd "$root" && tar --xattrs --xattrs-include='*' --acls -cf - "$@") | tar --xattrs --xattrs-include='*' --acls -xpf - -C bundle/rootfs; }
slice --exclude=./usr --exclude=./var --exclude=./etc .; add
slice ./etc ./usr/bin ./usr/sbin; add
slice ./usr/lib; add
slice --exclude=./usr/lib --exclude=./usr/bin --exclude=./usr/sbin ./usr ./var; add
cd bundle/rootfs
rm -r usr/share/doc etc/issue usr/share/man
mkdir usr/share/man; echo new > usr/share/man/page
rm etc/hostname 2>/dev/null || true
rm usr/bin/tac; mkdir usr/bin/tac; echo in > usr/bin/tac/file
chmod 4711 usr/bin/id; chown 12:34 usr/bin/env
ln usr/bin/perl usr/bin/perl-again
mkfifo -m 640 var/fifo; mknod -m 620 var/null c 1 3; mknod var/loop b 7 300
setcap cap_net_raw=ep usr/bin/ping 2>/dev/null || { cp usr/bin/cat usr/bin/capable; setcap cap_net_raw=ep usr/bin/capable; }
setfattr -n user.note -v 'a b' etc/debian_version
dd if=/dev/zero of=var/sparse bs=1 count=1 seek=5M status=none
printf x > "$(printf 'var/odd\\377name')"
ln -s /nowhere var/dangling; touch -hd '2001-02-03 04:05:06.789012345' var/dangling
touch -d '1969-12-31 23:00:00.5' var/before-the-epoch
mkdir -p "var/$(printf 'd%.0s' $(seq 120))/$(printf 'e%.0s' $(seq 120))/$(printf 'f%.0s' $(seq 120))"
cd ../..; add
`;

/** umoci knows no sparse files: the tree is what GNU tar makes of the layers. */
async function sparseImage(made: string): Promise<CorpusImage> {
  const script = `
mkdir root tree
truncate -s 3M root/tail; printf end >>root/tail
printf head >root/head; truncate -s 2M root/head
for i in $(seq 0 40); do printf x | dd of=root/many bs=1 seek=$((i * 65536)) conv=notrunc status=none; done
tar -C root --sparse --format=gnu --sort=name -cf gnu.tar .
for v in 0.0 0.1 1.0; do mv root pax-$v; tar --sparse --format=posix --sparse-version=$v -cf $v.tar pax-$v; mv pax-$v root; done
for each in gnu 0.0 0.1 1.0; do tar -C tree -xpf $each.tar; done
`;
  await runChecked('sh', ['-euc', script], { cwd: made });
  const layers = ['gnu', '0.0', '0.1', '1.0'].map((name) => join(made, `${name}.tar`));
  const layout = await makeImageLayout(join(made, 'layout'), 'latest', layers);
  return { title: 'sparse files in every format of GNU tar', layout, tree: join(made, 'tree') };
}

async function writeBuildContext(context: string): Promise<void> {
  await cp(await busyboxRoot(), join(context, 'root'), { recursive: true, verbatimSymlinks: true });
  await mkdir(join(context, 'files/below'), { recursive: true });
  await writeFile(join(context, 'files/below/one'), 'one\n');
  await writeFile(join(context, 'files/two'), 'two\n', { mode: 0o755 });
  await writeFile(
    join(context, 'Dockerfile'),
    `FROM scratch AS base
COPY root /
FROM base
WORKDIR /made/by/workdir
COPY files /files/
COPY --chown=12:34 files/two /files/below/
COPY --from=base /etc/passwd /copied/passwd
ADD files/below/one /etc/one
`,
  );
}

async function builtByDocker(scratch: string, context: string): Promise<string> {
  const own = join(scratch, 'docker');
  await mkdir(own);
  await using engine = await dockerIn(own);
  await engine.docker('build', '--quiet', '--tag', 'built:1', context);
  await engine.docker('save', '--output', join(own, 'built.tar'), 'built:1');
  const skopeo = await skopeoIn(own);
  await skopeo('copy', '--quiet', `docker-archive:${join(own, 'built.tar')}`, `oci:${join(own, 'layout')}:latest`);
  return join(own, 'layout');
}

async function builtByPodman(scratch: string, context: string): Promise<string> {
  const own = join(scratch, 'podman');
  await mkdir(own);
  const podman = await podmanIn(own);
  await podman('build', '--quiet', '--layers', '--tag', 'built:1', context);
  const archive = join(own, 'built.tar');
  await podman('save', '--quiet', '--format', 'oci-archive', '--output', archive, 'built:1');
  const skopeo = await skopeoIn(own);
  await skopeo('copy', '--quiet', `oci-archive:${archive}`, `oci:${join(own, 'layout')}:latest`);
  return join(own, 'layout');
}

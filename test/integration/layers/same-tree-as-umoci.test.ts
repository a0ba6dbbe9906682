import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { Digest } from '#lib/core/digest.js';
import { openCopyLayerStore } from '#lib/layers/copy/copy-layer-store.js';
import type { LayerSource, LayerStore } from '#lib/layers/layer-store.js';
import { openOverlayLayerStore } from '#lib/layers/overlay/overlay-layer-store.js';
import { debianRoot } from '../../helpers/debian-root.js';
import { flockLock } from '../../helpers/flock-lock.js';
import { shimPath, withDirectory } from '../../helpers/layer-fixtures.js';
import { runOnRoot } from '../../helpers/mounted-view.js';
import { compareListings, listTree, type TreeEntry } from '../../helpers/tree-listing.js';

const run = promisify(execFile);
const sh = (script: string, ...args: string[]): Promise<unknown> =>
  run('sh', ['-euc', script, 'sh', ...args], { maxBuffer: 64 * 1024 * 1024 });

/** Five layers: four slices of the tree and one that changes, hides, replaces, links and extends what is below. */
const makeImage = `
root=$1 work=$2
cd "$work"
umoci init --layout image
umoci new --image image:t
umoci unpack --image image:t bundle >/dev/null
add() { umoci repack --refresh-bundle --image image:t bundle >/dev/null; }
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
umoci unpack --image image:t expected >/dev/null
`;

interface Image {
  readonly directory: string;
  readonly layers: readonly LayerSource[];
  readonly expected: readonly TreeEntry[];
}

let image: Image;

before(async () => {
  const root = await debianRoot();
  const directory = join(tmpdir(), `tsc-umoci-${process.pid}`);
  await mkdir(directory);
  await sh(makeImage, root, directory);
  const blob = (digest: string): string => join(directory, 'image/blobs', digest.replace(':', '/'));
  const json = async (path: string) => JSON.parse(await readFile(path, 'utf8'));
  const index = await json(join(directory, 'image/index.json'));
  const manifest = await json(blob(index.manifests[0].digest));
  const config = await json(blob(manifest.config.digest));
  const layers = manifest.layers.map((layer: { digest: string }, at: number) => ({
    diffId: config.rootfs.diff_ids[at] as Digest,
    open: () => createReadStream(blob(layer.digest), { highWaterMark: 256 * 1024 }),
  }));
  image = { directory, layers, expected: await listTree(join(directory, 'expected/rootfs')) };
});

after(() => rm(image.directory, { recursive: true, force: true }));

const listing = `
import { listTree } from ${JSON.stringify(new URL('../../helpers/tree-listing.js', import.meta.url).href)};
process.stdout.write(JSON.stringify(await listTree(process.argv[1])));
`;

const stores: Record<string, (directory: string) => Promise<LayerStore>> = {
  overlay: (directory) => openOverlayLayerStore({ directory, shimPath, acquireLock: flockLock }),
  erofs: (directory) => openOverlayLayerStore({ directory, shimPath, acquireLock: flockLock, indexed: true }),
  copy: (directory) => openCopyLayerStore({ directory, shimPath, acquireLock: flockLock }),
};

for (const [kind, open] of Object.entries(stores)) {
  test(`the ${kind} store makes the same tree of a Debian image in 5 layers as umoci`, () =>
    withDirectory(async (directory) => {
      assert.equal(image.layers.length, 5);
      const store = await open(join(directory, 'store'));
      await store.apply(image.layers);
      const [container, target] = [join(directory, 'container'), join(directory, 'mounted')];
      for (const path of [container, target]) await mkdir(path);
      const mount = await store.prepare(
        image.layers.map(({ diffId }) => diffId),
        container,
      );
      const shown = await runOnRoot(mount, target, [process.execPath, '--input-type=module', '-e', listing, target]);
      const actual = JSON.parse(Buffer.from(shown, 'latin1').toString('utf8')) as TreeEntry[];
      assert.ok(actual.length > 5000, `${actual.length} entries`);
      assert.deepEqual(compareListings(image.expected, actual), []);
      await store.discard(container);
    }));
}

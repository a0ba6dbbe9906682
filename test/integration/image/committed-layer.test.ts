import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Container } from 'tscontainer';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { dockerIn, podmanIn, skopeoIn } from '../../helpers/other-engines.js';
import { runChecked } from '../../helpers/run-checked.js';
import { compareListings, listTree, type TreeEntry } from '../../helpers/tree-listing.js';

const long = 'n'.repeat(200);
/** What a layer can say, and what is hard to say. */
const script = `
set -e
cd /base
rm gone; rm -r tree; mkdir tree; echo new > tree/new
rm -r replaced; echo file > replaced
rm file; mkdir file; echo in > file/in
mkdir emptied/x; rm -r emptied; mkdir emptied
echo more >> changed; chmod 4755 changed; chown 12:34 owned; ln kept again; ln again third
mkfifo -m 640 pipe; mknod -m 620 device c 1 3
ln -s /nowhere dangling; touch -d '2001-02-03 04:05:06' kept
mkdir -p ${long}/${long}; echo deep > ${long}/${long}/${long}
printf x > "$(printf 'odd\\377name')"
dd if=/dev/zero of=sparse bs=1 count=1 seek=5000000 2>/dev/null
touch .wh-like
`;

for (const layerStore of ['overlay', 'erofs', 'copy'] as const) {
  describe(`a layer made of a container, on ${layerStore}`, () => {
    let lab: EngineLab;
    let container: Container;
    let seen: TreeEntry[];
    let archive: string;

    before(async () => {
      lab = await openEngineLab({ layerStore });
      const image = lab.image([
        { name: 'base/', type: '5', mode: 0o755 },
        { name: 'base/gone', content: 'x' },
        { name: 'base/tree/', type: '5', mode: 0o755 },
        { name: 'base/tree/old', content: 'x' },
        { name: 'base/replaced/', type: '5', mode: 0o755 },
        { name: 'base/replaced/inside', content: 'x' },
        { name: 'base/file', content: 'x' },
        { name: 'base/emptied/', type: '5', mode: 0o755 },
        { name: 'base/emptied/y', content: 'y' },
        { name: 'base/changed', content: 'x' },
        { name: 'base/owned', content: 'x' },
        { name: 'base/kept', content: 'x' },
      ]);
      container = await lab.engine.containers.create({ image, command: ['sleep', '1000'], network: 'none' });
      await container.start();
      const { stderr, exitCode } = await container.exec(['sh', '-c', script]);
      assert.deepEqual([stderr, exitCode], ['', 0]);
      seen = comparable(layerStore, await listTree(`/proc/${(await container.inspect()).pid}/root`));
      const committed = await container.commit({ name: 'committed:1' });
      archive = join(lab.directory, 'committed.tar');
      await lab.engine.images.save(committed.names[0] ?? '', archive);
      await lab.engine.images.save('committed:1', join(lab.directory, 'layout'), { format: 'oci-layout' });
    });
    after(async () => {
      await container.remove({ force: true });
      await lab[Symbol.asyncDispose]();
    });

    test('is what umoci unpacks', async () => {
      const bundle = join(lab.directory, 'bundle');
      await runChecked('umoci', [
        'unpack',
        '--image',
        `${join(lab.directory, 'layout')}:docker.io/library/committed:1`,
        bundle,
      ]);
      assert.deepEqual(compareListings(seen, comparable(layerStore, await listTree(join(bundle, 'rootfs')))), []);
    });

    test('is what another container of it sees', async () => {
      await using other = await lab.engine.containers.create({
        image: 'committed:1',
        command: ['sleep', '1000'],
        network: 'none',
      });
      await other.start();
      const theirs = comparable(layerStore, await listTree(`/proc/${(await other.inspect()).pid}/root`));
      assert.deepEqual(compareListings(seen, theirs), []);
    });

    test('is accepted by skopeo, podman and Docker', async () => {
      const directory = join(lab.directory, 'others');
      await mkdir(directory);
      const skopeo = await skopeoIn(directory);
      await skopeo('copy', `docker-archive:${archive}`, `dir:${join(directory, 'copied')}`);
      const podman = await podmanIn(directory);
      await podman('load', '--quiet', '--input', archive);
      const names = await podman('images', '--noheading', '--format', '{{.Repository}}:{{.Tag}}');
      assert.match(names, /committed:1/);
      await using docker = await dockerIn(directory);
      assert.match(await docker.docker('load', '--input', archive), /Loaded image: committed:1/);
    });
  });
}

/**
 * Without what the engine and the kernel put over the root; layers have whole seconds. An overlay over another file system
 * shows other inode numbers for the names of a file that it has copied up.
 */
function comparable(layerStore: string, entries: readonly TreeEntry[]): TreeEntry[] {
  const mounted = /^(?:proc|sys|dev)(?:\/|$)|^etc(?:$|\/(?:hosts|hostname|resolv\.conf)$)/;
  return entries
    .filter(({ path }) => path !== '' && !mounted.test(path))
    .map(({ sameFileAs, ...entry }) => ({
      ...entry,
      ...(layerStore !== 'erofs' && sameFileAs !== undefined && { sameFileAs }),
      mtime: entry.mtime.slice(0, -9),
    }));
}

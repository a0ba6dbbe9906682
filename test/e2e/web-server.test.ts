import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Container, Image, PullProgress } from 'tscontainer';
import { debianNginxImage, nginxPage } from '../helpers/debian-image.js';
import { type DockerRegistry, startDockerRegistry } from '../helpers/docker-registry.js';
import { footprint, waitForSameFootprint } from '../helpers/footprint.js';
import { type ImageLayout, pushImage } from '../helpers/image-layout.js';
import type { LargePullReport } from '../helpers/large-pull-program.js';
import { withDirectory } from '../helpers/layer-fixtures.js';
import { openEngine, type TestEngine } from '../helpers/open-engine.js';
import { runChecked } from '../helpers/run-checked.js';
import { compareListings, listTree, type TreeEntry } from '../helpers/tree-listing.js';

describe('Debian with nginx, from a registry to removal', () => {
  let registry: DockerRegistry;
  let layout: ImageLayout;
  let opened: TestEngine;
  let image: Image;
  const progress: PullProgress[] = [];

  before(async () => {
    layout = await debianNginxImage();
    opened = await openEngine();
    registry = await startDockerRegistry();
  });

  after(async () => {
    await registry.stop();
    await opened[Symbol.asyncDispose]();
  });

  test('is pulled in at least five layers without blocking the event loop', async () => {
    const reference = await pushImage(layout, registry.host.replace('127.0.0.1', 'localhost'), 'debian-nginx:1');
    image = await opened.engine.images.pull(reference, { onProgress: (each) => progress.push(each) });
    assert.ok(image.layers.length >= 5, `${image.layers.length} layers`);
    // What the engine itself does in one turn, it does each time; what a busy machine adds, it does not.
    const longest = [
      await longestTurnOfPull(reference),
      await longestTurnOfPull(reference),
      await longestTurnOfPull(reference),
    ];
    assert.ok(Math.min(...longest) <= 20, `event loop blocked for ${longest.join(', ')} ms`);
    assert.deepEqual(
      (await opened.engine.images.list()).map((each) => each.id),
      [image.id],
    );
  });

  test('reports progress with totals that are known from the beginning', () => {
    const kinds = progress.map((each) => each.type);
    assert.equal(kinds[0], 'resolving');
    assert.equal(kinds[1], 'resolved');
    assert.equal(kinds.at(-1), 'complete');
    assert.equal(kinds.filter((each) => each === 'unpacked').length, image.layers.length);
    const downloaded = new Map<string, number>();
    for (const each of progress) if (each.type === 'downloading') downloaded.set(each.digest, each.doneBytes);
    const total = [...downloaded.values()].reduce((sum, bytes) => sum + bytes, 0);
    assert.equal(total, image.compressedBytes);
  });

  test('looks inside a container exactly as umoci unpacks it', async () => {
    const scratch = await mkdtemp('/var/lib/tsc-umoci-');
    try {
      await runChecked('umoci', ['unpack', '--image', `${layout.path}:${layout.tag}`, join(scratch, 'bundle')]);
      const container = await opened.engine.containers.create({
        image: image.id,
        entrypoint: ['sleep', 'infinity'],
        network: 'none',
      });
      const { pid } = await container.start().then(() => container.inspect());
      const inside = await listTree(`/proc/${pid}/root`).finally(() => container.remove({ force: true }));
      const theirs = await listTree(join(scratch, 'bundle', 'rootfs'));
      assert.ok(theirs.length > 5_000, `only ${theirs.length} entries`);
      assert.deepEqual(compareListings(withoutMounts(inside), withoutMounts(theirs)), []);
    } finally {
      await rm(scratch, { recursive: true });
    }
  });

  test('serves its page through a published port and leaves nothing behind', async () => {
    const { engine } = opened;
    const clean = await footprint();
    const container = await engine.containers.create({ image: image.id, name: 'web', ports: ['127.0.0.1::80'] });
    await container.start();
    const { network, status } = await container.inspect();
    assert.equal(status, 'running');
    assert.equal(network.addresses.length, 1);

    assert.equal(await getPage(`http://127.0.0.1:${network.ports[0]?.hostPort}/`), nginxPage);
    const version = await container.exec(['nginx', '-v']);
    assert.equal(version.exitCode, 0);
    assert.match(version.stderr, /^nginx version: nginx\/1\./);
    await logLine(container, /"GET \/ HTTP\/1\.1" 200/);

    const exit = await container.stop();
    assert.deepEqual({ exitCode: exit.exitCode, signal: exit.signal }, { exitCode: 0, signal: undefined });
    await container.remove();

    // The bridge and its firewall table belong to the network, which the engine takes away when it closes. Descriptors are
    // those of this process's HTTP client; they are counted when the engine is closed for good.
    const appeared = async (): Promise<string[]> =>
      (await waitForSameFootprint(clean)).filter(
        (line) => line.startsWith('+') && !line.startsWith('+ file descriptor'),
      );
    const ofTheNetwork = /^\+ (?:network interface: tsc-|firewall: table ip tscontainer-)/;
    assert.deepEqual(
      (await appeared()).filter((line) => !ofTheNetwork.test(line)),
      [],
    );
    assert.deepEqual(await readdir(join(opened.root, 'containers')), []);
    assert.deepEqual(await readdir(join(opened.runRoot, 'containers')), []);
    await opened.reopen();
    assert.deepEqual(await appeared(), []);
  });

  test('is gone with its layers and blobs once its last name is removed', async () => {
    await opened.engine.images.remove(image.name);
    assert.deepEqual(await opened.engine.images.list(), []);
    assert.deepEqual(await readdir(join(opened.root, 'content', 'blobs', 'sha256')), []);
    const layers = await readdir(join(opened.root, 'layers'));
    assert.deepEqual(
      layers.filter((name) => /^[0-9a-f]{64}|sha256/.test(name)),
      [],
    );
  });
});

/** The server answers as soon as it listens: until then the connection is refused. */
async function getPage(url: string): Promise<string> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      return await (await fetch(url)).text();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function logLine(container: Container, pattern: RegExp): Promise<void> {
  const signal = AbortSignal.timeout(10_000);
  for await (const line of container.logs({ follow: true, signal })) if (pattern.test(line.text)) return;
  assert.fail(`no line of the log matches ${pattern}`);
}

/** Without what the engine puts over the image: kernel file systems, and three files of /etc with their directory's time. */
function withoutMounts(entries: readonly TreeEntry[]): TreeEntry[] {
  const mounted = /^(?:proc|sys|dev)(?:\/|$)|^etc\/(?:hosts|hostname|resolv\.conf)$/;
  return entries
    .filter(({ path }) => !mounted.test(path))
    .map((entry) => (entry.path === '' || entry.path === 'etc' ? { ...entry, mtime: 'changed' } : entry));
}

/** By a program of its own: the test runner follows every promise, which takes longer than the work. */
async function longestTurnOfPull(reference: string): Promise<number> {
  const program = fileURLToPath(new URL('../helpers/large-pull-program.js', import.meta.url));
  return withDirectory(async (directory) => {
    const options = JSON.stringify({ root: join(directory, 'root'), runRoot: join(directory, 'run') });
    const report = JSON.parse(await runChecked(process.execPath, [program, options, reference])) as LargePullReport;
    return report.longestTurnMs;
  });
}

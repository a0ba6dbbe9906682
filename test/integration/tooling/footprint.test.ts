import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, rmdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { footprint, footprintDifferences } from '../../helpers/footprint.js';
import { runChecked } from '../../helpers/run-checked.js';
import { workspace } from '../../helpers/workspace.js';

test('two footprints of an unchanged machine are equal', async () => {
  const before = await footprint();
  assert.deepEqual(footprintDifferences(before, await footprint()), []);
});

test('each kind of leftover is named', async () => {
  await using place = await workspace();
  const target = await place.directory('target');
  const before = await footprint({ roots: [place.path] });
  await runChecked('mount', ['-t', 'tmpfs', 'leftover', target]);
  await runChecked('ip', ['link', 'add', 'tsctest0', 'type', 'bridge']);
  await runChecked('nft', ['add', 'table', 'inet', 'tsctest']);
  const cgroup = await makeCgroup();
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const file = await open(join(place.path, 'forgotten'), 'w');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const differences = footprintDifferences(before, await footprint({ roots: [place.path] }));
    for (const expected of [
      /^\+ mount: .*target .*leftover/,
      /^\+ network interface: tsctest0$/,
      /^\+ firewall: table inet tsctest /,
      /^\+ cgroup: .*tscontainer-footprint-test/,
      /^\+ process: \d+ sleep$/,
      /^\+ file descriptor: .*forgotten$/,
      /^\+ listening socket: tcp 0100007F:/,
      /^\+ file: .*forgotten$/,
    ]) {
      assert.ok(
        differences.some((line) => expected.test(line)),
        `${expected} in\n${differences.join('\n')}`,
      );
    }
  } finally {
    await runChecked('umount', [target]);
    await runChecked('ip', ['link', 'delete', 'tsctest0']);
    await runChecked('nft', ['delete', 'table', 'inet', 'tsctest']);
    await rmdir(cgroup);
    child.kill('SIGKILL');
    server.close();
    await Promise.all([once(child, 'exit'), once(server, 'close'), file.close()]);
  }
});

test('a workspace that something was left behind in fails on disposal', async () => {
  const place = await workspace();
  const target = await place.directory('mounted');
  await runChecked('mount', ['-t', 'tmpfs', 'leftover', target]);
  await assert.rejects(async () => place[Symbol.asyncDispose](), /\+ mount: .*mounted/);
  await runChecked('umount', [target]);
  await place[Symbol.asyncDispose]();
});

test('a workspace takes its files with it', async () => {
  const place = await workspace();
  await writeFile(join(await place.directory('a/b'), 'file'), '');
  await place[Symbol.asyncDispose]();
  await assert.rejects(open(place.path), { code: 'ENOENT' });
});

/** In the first hierarchy that is there: a machine has those of version 1, the one of version 2, or both. */
async function makeCgroup(): Promise<string> {
  const mounts = (await runChecked('cat', ['/proc/self/mountinfo'])).split('\n');
  const root = mounts.find((line) => / - cgroup2? /.test(line))?.split(' ')[4];
  assert.ok(root !== undefined, 'no cgroup hierarchy is mounted');
  const path = join(root, 'tscontainer-footprint-test');
  await mkdir(path);
  return path;
}

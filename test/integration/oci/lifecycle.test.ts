import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type OciLab, ociLab } from '../../helpers/oci-bundle.js';

async function statusOf(lab: OciLab, id: string): Promise<string> {
  const { stdout } = await lab.oci('state', id);
  return (JSON.parse(stdout) as { status: string }).status;
}

test('a container is created, started, signalled and deleted', async (context) => {
  const lab = await ociLab(context);
  await lab.configure(['sh', '-c', 'echo ran > /tmp/x; exec sleep 1000']);
  const pidFile = join(lab.bundle, 'pid');
  assert.equal((await lab.oci('create', '--pid-file', pidFile, 'a')).exitCode, 0);
  assert.equal(await statusOf(lab, 'a'), 'created');
  const pid = Number(await readFile(pidFile, 'utf8'));
  assert.match(await readFile(`/proc/${pid}/comm`, 'utf8'), /tscontainer/, 'the program waits for the start');

  assert.equal((await lab.oci('start', 'a')).exitCode, 0);
  assert.equal(await statusOf(lab, 'a'), 'running');
  assert.notEqual((await lab.oci('start', 'a')).exitCode, 0, 'it starts once');
  assert.notEqual((await lab.oci('delete', 'a')).exitCode, 0, 'a running container is not deleted without force');

  assert.equal((await lab.oci('kill', 'a', 'KILL')).exitCode, 0);
  while (existsSync(`/proc/${pid}`) && (await statusOf(lab, 'a')) !== 'stopped');
  assert.notEqual((await lab.oci('kill', 'a', 'KILL')).exitCode, 0, 'what has ended takes no signal');
  assert.equal((await lab.oci('delete', 'a')).exitCode, 0);
  assert.notEqual((await lab.oci('state', 'a')).exitCode, 0);
  assert.ok(!existsSync(join(lab.root, 'a')));
});

test('run passes on output and exit code, and leaves nothing', async (context) => {
  const lab = await ociLab(context);
  await lab.configure(['sh', '-c', 'echo out; echo err >&2; exit 7']);
  const { exitCode, stdout, stderr } = await lab.oci('run', 'b');
  assert.deepEqual([exitCode, stdout, stderr], [7, 'out\n', 'err\n']);
  assert.equal((await lab.oci('list', '-q')).stdout, '');
});

test('a program that a signal has ended has 128 and its number as exit code', async (context) => {
  const lab = await ociLab(context);
  await lab.configure(['sh', '-c', 'kill -TERM $$; sleep 1000'], (config) => {
    config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'pid');
  });
  assert.equal((await lab.oci('run', 'c')).exitCode, 143);
});

test('an id is taken once', async (context) => {
  const lab = await ociLab(context);
  await lab.configure(['sleep', '1000']);
  assert.equal((await lab.oci('run', '-d', 'd')).exitCode, 0);
  const second = await lab.oci('run', '-d', 'd');
  assert.equal(second.exitCode, 1);
  assert.match(second.stderr, /taken/);
  assert.equal(await statusOf(lab, 'd'), 'running');
});

test('what cannot be created leaves nothing and says why', async (context) => {
  const lab = await ociLab(context);
  await lab.configure(['missing']);
  const missing = await lab.oci('create', 'e');
  assert.deepEqual([missing.exitCode, missing.stderr.includes('not found in $PATH')], [127, true]);
  await lab.configure(['sh'], (config) => config.mounts.push({ destination: '/x', type: 'nofs', source: 'x' }));
  const unknown = await lab.oci('create', 'e');
  assert.equal(unknown.exitCode, 1);
  assert.match(unknown.stderr, /make-mount: fsopen nofs: ENODEV/);
  await writeFile(join(lab.bundle, 'config.json'), '{ no json');
  assert.match((await lab.oci('create', 'e')).stderr, /not JSON/);
  assert.equal((await lab.oci('list', '-q')).stdout, '');
});

test('hooks run in their order, with the state on stdin, each in its place', async (context) => {
  const lab = await ociLab(context);
  const log = join(lab.bundle, 'log');
  const hook = (name: string) => {
    const script = `echo "${name} $(cat | sed 's/.*"status":"\\([a-z]*\\)".*/\\1/') $(test -e rootfs/proc/self && echo mounted)" >> ${log}`;
    return [{ path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/usr/bin:/bin'] }];
  };
  await lab.configure(['sh', '-c', 'cat /tmp/inside'], (config) => {
    config.hooks = {
      prestart: hook('prestart'),
      createRuntime: hook('createRuntime'),
      createContainer: hook('createContainer'),
      startContainer: [{ path: '/bin/sh', args: ['sh', '-c', 'cat > /tmp/inside'], env: ['PATH=/bin'] }],
      poststart: hook('poststart'),
      poststop: hook('poststop'),
    };
  });
  const { stdout, exitCode, stderr } = await lab.oci('run', 'f');
  assert.equal(exitCode, 0, stderr);
  assert.equal((JSON.parse(stdout) as { status: string }).status, 'created');
  assert.deepEqual((await readFile(log, 'utf8')).split('\n'), [
    'prestart creating ',
    'createRuntime creating ',
    'createContainer creating mounted',
    'poststart running ',
    'poststop stopped ',
    '',
  ]);
});

test('a hook that takes too long ends the creation', async (context) => {
  const lab = await ociLab(context);
  await lab.configure(['sh'], (config) => {
    config.hooks = { createRuntime: [{ path: '/bin/sleep', args: ['sleep', '1000'], timeout: 1 }] };
  });
  const { exitCode, stderr } = await lab.oci('create', 'g');
  assert.equal(exitCode, 1);
  assert.match(stderr, /did not end within 1 s/);
});

test('a container pauses, is updated, and tells its processes', async (context) => {
  const lab = await ociLab(context);
  await lab.configure(['sleep', '1000']);
  assert.equal((await lab.oci('run', '-d', 'h')).exitCode, 0);
  assert.equal((await lab.oci('pause', 'h')).exitCode, 0);
  assert.equal(await statusOf(lab, 'h'), 'paused');
  assert.equal((await lab.oci('resume', 'h')).exitCode, 0);
  assert.equal(await statusOf(lab, 'h'), 'running');
  assert.equal((await lab.oci('update', '--pids-limit', '33', 'h')).exitCode, 0);
  const pids = JSON.parse((await lab.oci('ps', '--format', 'json', 'h')).stdout) as number[];
  assert.equal(pids.length, 1);
  const { stdout } = await lab.oci('events', '--stats', 'h');
  const stats = JSON.parse(stdout) as { data: { pids: { current: number; limit: number } } };
  assert.deepEqual(stats.data.pids, { current: 1, limit: 33 });
});

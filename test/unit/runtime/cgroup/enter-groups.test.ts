import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import type { CgroupControl } from '#lib/runtime/cgroup/cgroup-control.js';
import { createCgroupManager } from '#lib/runtime/cgroup/create-cgroup-manager.js';
import { enterGroups } from '#lib/runtime/cgroup/enter-groups.js';
import { listProcesses } from '#lib/runtime/cgroup/list-processes.js';
import { updateCgroup } from '#lib/runtime/cgroup/update-cgroup.js';
import { cgroupHosts } from '../../../helpers/cgroup-hosts.js';

const { v1 } = cgroupHosts;
const { files } = createCgroupManager(v1).plan({ id: 'abc', resources: {} });
const target = '/sys/fs/cgroup/cpuset/tscontainer/abc';
const freezer = '/sys/fs/cgroup/freezer/tscontainer/abc';

/** A host of v1 with processes 5 and 6 in the container and 7 in a group below it. */
function control(refuse: (path: string, data: string) => string | undefined = () => undefined) {
  const log: string[] = [];
  let state = 'THAWED';
  const procs: Readonly<Record<string, string>> = { [freezer]: '5\n6\n', [`${freezer}/below`]: '7\n5\n' };
  const read = (path: string): string | undefined =>
    path.endsWith('freezer.state') ? `${state}\n` : procs[path.replace(/\/cgroup\.procs$/, '')];
  const made: CgroupControl = {
    readText: async (path) => read(path),
    peek: read,
    writeText: async (path, data) => {
      log.push(`${path.replace('/sys/fs/cgroup/', '')} = ${data}`);
      const code = refuse(path, data);
      if (code !== undefined) throw Object.assign(new Error(code), { code });
      if (path.endsWith('freezer.state')) state = data;
    },
    makeDirectory: async (path) => void log.push(`make ${path.replace('/sys/fs/cgroup/', '')}`),
    listGroups: async (directory) => (directory === freezer ? ['below'] : []),
  };
  return { log, control: made, state: () => state };
}

test('processes of groups below count, each once', async () => {
  assert.deepEqual(await listProcesses(files, control().control), [5, 6, 7]);
  assert.deepEqual(await listProcesses({}, control().control), []);
});

test('all processes enter while they are frozen', async () => {
  const host = control();
  await enterGroups(files, [target], host.control);
  assert.deepEqual(host.log, [
    'freezer/tscontainer/abc/freezer.state = FROZEN',
    'cpuset/tscontainer/abc/cgroup.procs = 5',
    'cpuset/tscontainer/abc/cgroup.procs = 6',
    'cpuset/tscontainer/abc/cgroup.procs = 7',
    'freezer/tscontainer/abc/freezer.state = THAWED',
  ]);
  assert.equal(host.state(), 'THAWED');
});

test('a paused container stays paused', async () => {
  const host = control();
  await host.control.writeText(`${freezer}/freezer.state`, 'FROZEN');
  await enterGroups(files, [target], host.control);
  assert.equal(host.state(), 'FROZEN');
});

test('a zombie cannot move and need not; any other refusal is told, and the container goes on', async () => {
  const zombie = control((_path, data) => (data === '6' ? 'ESRCH' : undefined));
  await enterGroups(files, [target], zombie.control);
  const refused = control((_path, data) => (data === '6' ? 'ENOSPC' : undefined));
  await assert.rejects(
    enterGroups(files, [target], refused.control),
    (error) => EngineError.is(error, 'SYSTEM_CALL_FAILED') && error.data.errno === 'ENOSPC',
  );
  assert.equal(refused.state(), 'THAWED');
});

test('nothing to enter is nothing to do', async () => {
  const host = control();
  await enterGroups(files, [], host.control);
  assert.deepEqual(host.log, []);
});

test('an update makes the group, sets its limit, and only then moves anybody', async () => {
  const host = control();
  const request = { id: 'abc', current: {}, next: { cpusetCpus: '1' } };
  const again = await updateCgroup(createCgroupManager(v1), files, request, host.control);
  const places = ['make cpuset/tscontainer/abc', 'cpuset.cpus = 1', 'FROZEN', 'procs = 5', 'THAWED'].map((text) =>
    host.log.findLastIndex((line) => line.includes(text)),
  );
  assert.deepEqual(
    [...places].sort((a, b) => a - b),
    places,
    host.log.join('\n'),
  );
  const before = host.log.length;
  await again();
  assert.equal(host.log.length, before + 5, 'whoever came meanwhile is moved, too');
});

test('of an update that fails everything is taken back', async () => {
  const host = control((path, data) => (path.endsWith('pids.max') && data === '5' ? 'EINVAL' : undefined));
  const request = { id: 'abc', current: { cpuShares: 512 }, next: { cpuShares: 2048, pidsLimit: 5 } };
  await assert.rejects(updateCgroup(createCgroupManager(v1), files, request, host.control), (error) => {
    assert.ok(EngineError.is(error, 'SYSTEM_CALL_FAILED'));
    assert.deepEqual(error.cleanupErrors, []);
    return true;
  });
  assert.deepEqual(host.log, [
    'cpu/tscontainer/abc/cpu.shares = 2048',
    'pids/tscontainer/abc/pids.max = 5',
    'pids/tscontainer/abc/pids.max = max',
    'cpu/tscontainer/abc/cpu.shares = 512',
  ]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import type { CgroupControl } from '#lib/runtime/cgroup/cgroup-control.js';
import { createCgroupManager } from '#lib/runtime/cgroup/create-cgroup-manager.js';
import { freezeCgroup, isFrozen, isFrozenNow, thawCgroup } from '#lib/runtime/cgroup/freeze-cgroup.js';
import { cgroupHosts } from '../../../helpers/cgroup-hosts.js';

const filesOf = (host: 'v1' | 'v2') => createCgroupManager(cgroupHosts[host]).plan({ id: 'abc', resources: {} }).files;

type Freezer = CgroupControl & { readonly written: string[] };

/** A freezer whose processes stop after so many writes. */
function freezer(host: 'v1' | 'v2', stopsAfter: number): Freezer {
  const written: string[] = [];
  const wanted = (): boolean => /^(FROZEN|1)$/.test(written.at(-1) ?? '');
  const states = host === 'v1' ? ['THAWED\n', 'FREEZING\n', 'FROZEN\n'] : ['frozen 0\n', 'frozen 0\n', 'frozen 1\n'];
  const read = (): string | undefined => (wanted() ? states[written.length >= stopsAfter ? 2 : 1] : states[0]);
  return {
    written,
    readText: async () => read(),
    peek: read,
    writeText: async (_path, data) => void written.push(data),
    makeDirectory: async () => undefined,
    listGroups: async () => [],
  };
}

for (const host of ['v1', 'v2'] as const) {
  test(`${host}: freezing returns when all processes have stopped`, async () => {
    const control = freezer(host, 3);
    await freezeCgroup(filesOf(host), control);
    assert.equal(control.written.length, 3);
    assert.equal(await isFrozen(filesOf(host), control), true);
    assert.equal(isFrozenNow(filesOf(host), control), true);
    await thawCgroup(filesOf(host), control);
    assert.equal(await isFrozen(filesOf(host), control), false);
    assert.equal(isFrozenNow(filesOf(host), control), false);
  });

  test(`${host}: processes that do not stop in time run again, and so they do when the caller has lost interest`, async () => {
    const late = freezer(host, 1000);
    await assert.rejects(freezeCgroup(filesOf(host), late, { timeoutMs: 0 }), (error) =>
      EngineError.is(error, 'PAUSE_TIMEOUT'),
    );
    assert.equal(await isFrozen(filesOf(host), late), false);
    const abandoned = freezer(host, 1000);
    const reason = new Error('lost interest');
    const pending = freezeCgroup(filesOf(host), abandoned, { signal: AbortSignal.abort(reason) });
    await assert.rejects(pending, reason);
    assert.match(abandoned.written.at(-1) ?? '', /^(THAWED|0)$/);
  });
}

test('without a freezer the pause is refused', async () => {
  const control = freezer('v1', 1);
  await assert.rejects(freezeCgroup({}, control), (error) => EngineError.is(error, 'CONTROLLER_MISSING'));
  assert.deepEqual(control.written, []);
  assert.equal(isFrozenNow({}, control), false, 'what cannot be paused is not');
});

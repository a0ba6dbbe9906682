import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runGuest } from './host/run-guest.js';

/** What runs in the guest. The emulated processor is some ten times slower than a real one: few files, small loads. */
const files = [
  'vm/guest-tests/cgroup-limits.js',
  'vm/guest-tests/devices.js',
  'vm/guest-tests/overlay.js',
  'vm/guest-tests/network.js',
  'vm/guest-tests/more-controllers.js',
  'integration/runtime/cgroup-control.test.js',
];

test('in a virtual machine with cgroup v2 and Linux 6.1', async (t) => {
  const seen = new Set<string>();
  for await (const event of runGuest({ files, timeoutMs: 230_000 })) {
    if (event.kind === 'ready' || event.kind === 'end') continue;
    seen.add(event.file);
    await t.test(event.name, { skip: event.kind === 'skip' }, () => {
      if (event.kind === 'fail') throw Object.assign(new Error(event.message), { stack: event.message });
    });
  }
  assert.equal(seen.size, files.length, 'each file has told of a test');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runGuest } from './run-guest.js';

/** One test of this process for each that compiled test files tell of in a virtual machine. */
export function testInGuest(title: string, files: readonly string[]): void {
  test(title, async (t) => {
    const seen = new Set<string>();
    for await (const event of runGuest({ files, timeoutMs: 285_000 })) {
      if (event.kind === 'ready' || event.kind === 'end') continue;
      seen.add(event.file);
      await t.test(event.name, { skip: event.kind === 'skip' }, () => {
        if (event.kind === 'fail') throw Object.assign(new Error(event.message), { stack: event.message });
      });
    }
    assert.equal(seen.size, files.length, 'each file has told of a test');
  });
}

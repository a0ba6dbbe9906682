import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { OpenWork } from '#lib/util/open-work.js';

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

test('a close aborts what is under way, waits for its clean-up, and refuses what comes later', async () => {
  const work = new OpenWork('shop');
  let cleaned = false;
  const running = work.run(undefined, async (signal) => {
    await untilAborted(signal).catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    cleaned = true;
    signal.throwIfAborted();
  });
  running.catch(() => undefined);
  await work.close();
  assert.ok(cleaned);
  await assert.rejects(running, (error) => EngineError.is(error, 'CLOSED') && error.data.what === 'shop');
  await assert.rejects(
    work.run(undefined, () => Promise.resolve()),
    (error) => EngineError.is(error, 'CLOSED'),
  );
  assert.throws(
    () => work.assertOpen(),
    (error) => EngineError.is(error, 'CLOSED'),
  );
  await work.close();
});

test("work ends with the caller's reason, and leaves no listener on his signal", async () => {
  const work = new OpenWork('shop');
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners += 1;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...args);
  };
  assert.equal(await work.run(signal, () => Promise.resolve(5)), 5);
  assert.equal(listeners, 0);
  const running = work.run(signal, untilAborted);
  const reason = new Error('enough');
  controller.abort(reason);
  await assert.rejects(running, reason);
  await assert.rejects(
    work.run(signal, () => Promise.resolve(5)),
    reason,
  );
  await work.close();
});

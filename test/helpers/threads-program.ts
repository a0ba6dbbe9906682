import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Engine, type EngineOptions } from 'tscontainer';
import type { ThreadTask } from './engine-thread.js';
import { eventually } from './eventually.js';

// node threads-program.js OPTIONS IMAGE: three threads with an engine each. The first is terminated, the others close theirs;
// prints what the program sees of all that.
const [options = '{}', image = ''] = process.argv.slice(2);
const engineOptions = JSON.parse(options) as EngineOptions;
const warnings: string[] = [];
process.on('warning', ({ message }) => void warnings.push(message));
const engine = await Engine.open(engineOptions);
const statuses = async (): Promise<readonly string[]> =>
  (await engine.containers.list()).map(({ name, status }) => `${name.at(-1)} ${status}`).sort();
const threads = [0, 1, 2].map((number) => {
  const workerData: ThreadTask = { options: engineOptions, image, number };
  return new Worker(new URL('engine-thread.js', import.meta.url), { workerData });
});
const codes = await Promise.all(threads.map(async (thread) => (await once(thread, 'message'))[0]));
const running = await statuses();
const [first, ...others] = threads;
await first?.terminate(); // without a chance to close its engine
await eventually('its container has ended', async () => (await statuses()).includes('0 exited'), 10_000);
const terminated = await statuses();
for (const thread of others) {
  const ended = once(thread, 'exit');
  thread.postMessage('close');
  await ended;
}
const closed = await statuses();
await engine.close();
process.stdout.write(JSON.stringify({ codes, running, terminated, closed, warnings }));

// A program that does one thing again and again until it, or a shim of it, is killed:
// `node worker-at-work.js OPTIONS ACTION IMAGE REGISTRY`. Prints "ready" when it has begun, and what does not hold as a line
// that begins with "WRONG". At the end of its input it does no more and closes its engine.
import { type Container, Engine, EngineError, type EngineOptions } from 'tscontainer';

const [options = '', action = '', image = '', registry = ''] = process.argv.slice(2);
const engine = await Engine.open(JSON.parse(options) as EngineOptions);
const base = { image, command: ['sleep', '100000'], memory: '64m', ports: ['127.0.0.1::80'] } as const;
let isToEnd = false;
process.stdin.once('end', () => {
  isToEnd = true;
});
process.stdin.resume();

/** Tells of a result that neither is what was wanted nor, when its shim was killed, says so. */
function expectExit(what: string, wanted: number, got: number): void {
  if (got !== wanted && !(isToEnd && got === 137)) console.log(`WRONG ${what}: exit code ${got} and not ${wanted}`);
}

const actions: Readonly<Record<string, () => Promise<void>>> = {
  create: async () => {
    const container = await engine.containers.create({ ...base, name: `made-${process.pid}`, lifetime: 'detached' });
    await container.remove();
  },
  start: async () => {
    const container = await engine.containers.create({ ...base, lifetime: 'detached' });
    await container.start();
    await container.remove({ force: true });
  },
  exec: async () => {
    const container = await running();
    for (let count = 0; count < 20 && !isToEnd; count += 1)
      expectExit('exec', 3, (await container.exec(['sh', '-c', 'exit 3'])).exitCode);
    await container.remove({ force: true });
  },
  run: async () => {
    expectExit('run', 7, (await engine.run(image, ['sh', '-c', 'exit 7'])).exitCode);
  },
  commit: async () => {
    const container = await engine.containers.create({ image, command: ['true'] });
    await container.copyTo('/file', { content: 'x'.repeat(100_000) });
    const committed = await container.commit({ name: `lab/committed-${process.pid}` });
    expectExit('of a commit', 0, (await engine.run(committed.id, ['test', '-s', '/file'])).exitCode);
    await container.remove();
    await engine.images.remove(committed.id, { force: true });
  },
  copy: async () => {
    const container = await running();
    for (let count = 0; count < 10 && !isToEnd; count += 1) {
      await container.copyTo('/file', { content: 'x'.repeat(100_000) });
      expectExit('after a copy', 0, (await container.exec(['grep', '-q', 'xxx', '/file'])).exitCode);
    }
    await container.remove({ force: true });
  },
  push: async () => {
    const name = `${registry}/pushed-${process.pid}:latest`;
    await engine.images.tag(image, name);
    await engine.images.push(name);
    await engine.images.remove(name);
    await engine.images.pull(name);
    await engine.images.remove(name);
  },
  stop: async () => {
    const command = ['sh', '-c', 'trap "exit 5" TERM; echo ready; while :; do sleep 100 & wait; done'];
    const container = await engine.containers.create({ image, command, network: 'none' });
    await container.start();
    for await (const _ of container.logs({ follow: true })) break; // the trap is set
    expectExit('stop', 5, (await container.stop({ timeoutMs: 10_000 })).exitCode);
    await container.remove();
  },
};

async function running(): Promise<Container> {
  const container = await engine.containers.create(base);
  await container.start();
  return container;
}

console.log('ready');
let failure: unknown;
try {
  while (!isToEnd) await actions[action]?.();
} catch (error) {
  failure = error; // a shim was killed amid it: that is told, and nothing else
}
if (failure !== undefined && (!EngineError.is(failure) || EngineError.is(failure, 'INTERNAL')))
  console.log(
    `WRONG ${action} fails with ${failure instanceof Error ? failure.stack : String(failure)}`.replaceAll('\n', ' | '),
  );
if (EngineError.is(failure)) console.log(`FAILED ${failure.code} ${failure.message}`.replaceAll('\n', ' '));
await engine.close();

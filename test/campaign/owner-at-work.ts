// A program that starts, executes or stops without end until a test kills it: `node owner-at-work.js OPTIONS ACTION IMAGE`.
// Prints "ready" when it has begun.
import { type ContainerOptions, Engine, type EngineOptions } from 'tscontainer';

const [options = '', action = '', image = ''] = process.argv.slice(2);
const engine = await Engine.open(JSON.parse(options) as EngineOptions);
const base: ContainerOptions = { image, command: ['sleep', '100000'], memory: '64m', ports: ['127.0.0.1::80'] };

async function startForEver(lifetime: 'owner' | 'detached'): Promise<never> {
  for (;;) {
    const container = await engine.containers.create({ ...base, lifetime, labels: { lifetime } });
    await container.start();
    await container.remove({ force: true });
  }
}

async function executeForEver(): Promise<never> {
  const container = await engine.containers.create(base);
  await container.start();
  for (;;)
    await Promise.all([container.exec(['seq', '1', '3000']), container.exec(['sh', '-c', 'sleep 100 & exit 3'])]);
}

async function stopForEver(): Promise<never> {
  const command = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 100 & wait; done'];
  const container = await engine.containers.create({ ...base, command });
  for (;;) {
    await container.start();
    await container.stop({ timeoutMs: 20 });
  }
}

console.log('ready');
if (action === 'start') await Promise.all([startForEver('owner'), startForEver('owner')]);
else if (action === 'start detached') await startForEver('detached');
else if (action === 'exec') await executeForEver();
else await stopForEver();

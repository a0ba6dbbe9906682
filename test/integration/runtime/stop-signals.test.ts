import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';

const offline = { network: 'none' } as const;

// The kernel gives the first process of a PID namespace only those signals that it handles. @see pid_namespaces(7)
describe('stopping a program that is process 1', () => {
  let lab: EngineLab;
  let image: string;
  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
  });
  after(() => lab[Symbol.asyncDispose]());

  test('one without a handler is killed after the timeout, and not before', async () => {
    await using container = await lab.engine.containers.create({ image, command: ['sleep', '1000'], ...offline });
    await container.start();
    const started = performance.now();
    const { exitCode, signal } = await container.stop({ timeoutMs: 300 });
    assert.deepEqual([exitCode, signal], [137, 'SIGKILL']);
    assert.ok(performance.now() - started >= 300);
  });

  for (const [stopSignal, number] of [
    ['SIGTERM', 15],
    ['SIGQUIT', 3],
    ['SIGRTMIN+3', 37],
    ['40', 40],
  ] as const) {
    test(`one that handles ${stopSignal} gets it`, async () => {
      const command = ['sh', '-c', `trap "exit 5" ${number}; echo ready; while :; do sleep 1000 & wait; done`];
      await using container = await lab.engine.containers.create({ image, command, stopSignal, ...offline });
      await container.start();
      for await (const line of container.logs({ follow: true })) if (line.text === 'ready') break;
      assert.equal((await container.stop({ timeoutMs: 60_000 })).exitCode, 5);
    });
  }

  test('its end is the end of all others', async () => {
    const command = ['sh', '-c', 'trap "" TERM; sleep 1000 & sleep 1000 & echo ready; wait'];
    await using container = await lab.engine.containers.create({ image, command, ...offline });
    await container.start();
    for await (const line of container.logs({ follow: true })) if (line.text === 'ready') break;
    const joined = await container.spawn(['sleep', '1000']);
    await container.kill();
    assert.equal((await joined.wait()).signal, 'SIGKILL');
    assert.equal((await container.wait()).signal, 'SIGKILL');
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Container } from 'tscontainer';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';

const limited = { network: 'none', memory: '32m', memorySwap: '32m' } as const;
/** Needs twice what there is; `exec` makes it the process itself and no child of a shell. */
const greedy = ['sh', '-c', 'exec tail -c 64m /dev/zero'];

describe('processes that the kernel kills for want of memory', () => {
  let lab: EngineLab;
  let image: string;
  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
  });
  after(() => lab[Symbol.asyncDispose]());

  async function started(command: readonly string[]): Promise<Container> {
    const container = await lab.engine.containers.create({ image, command, ...limited });
    await container.start();
    return container;
  }

  test('one that has joined the container: its result says so, later ones do not', async () => {
    await using container = await started(['sleep', '1000']);
    const { exitCode, signal, oomKilled } = await container.exec(greedy);
    assert.deepEqual({ exitCode, signal, oomKilled }, { exitCode: 137, signal: 'SIGKILL', oomKilled: true });
    assert.equal((await container.exec(['true'])).oomKilled, false);
    const killed = await container.exec(['sh', '-c', 'kill -9 $$']);
    assert.deepEqual([killed.exitCode, killed.oomKilled], [137, false], '137 alone is not a lack of memory');
    assert.equal(container.status, 'running');
  });

  test('a child of the first process: the container’s end says so, and how the first process ended', async () => {
    await using container = await started(['sh', '-c', 'tail -c 64m /dev/zero; exit 3']);
    const { exitCode, signal, oomKilled } = await container.wait();
    assert.deepEqual({ exitCode, signal, oomKilled }, { exitCode: 3, signal: undefined, oomKilled: true });
    await container.start();
    await container.kill();
    assert.equal((await container.wait()).exitCode, 137);
  });

  test('none: neither the end by a signal nor the next run of the same container is taken for it', async () => {
    await using container = await started([
      'sh',
      '-c',
      '[ -e /again ] && exec sleep 1000; touch /again; exec tail -c 64m /dev/zero',
    ]);
    assert.equal((await container.wait()).oomKilled, true);
    await container.start();
    await container.kill();
    const { exitCode, oomKilled } = await container.wait();
    assert.deepEqual([exitCode, oomKilled], [137, false]);
  });
});

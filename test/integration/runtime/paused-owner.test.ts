import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { startOwner } from '../../helpers/owner.js';

/** More than pipes and sockets hold. */
const lines = 200_000;
const talkative = ['sh', '-c', `seq 1 ${lines}; exit 4`];

async function lastLine(lab: EngineLab, id: string): Promise<string> {
  let last = '';
  for await (const { text } of (await lab.engine.containers.get(id)).logs({ tail: 1 })) last = text;
  return last;
}

test('a container goes on writing and ends while the process that has started it is stopped', async () => {
  await using lab = await openEngineLab();
  const image = lab.image();
  await lab.engine.images.pull(image);
  const wait = ['sh', '-c', 'while [ ! -e /go ]; do sleep 0.01; done; exec "$@"', 'sh', ...talkative];
  for (const lifetime of ['owner', 'detached'] as const) {
    await using owner = await startOwner(lab.options, [{ image, command: wait, lifetime, network: 'none' }]);
    const [{ id } = { id: '' }] = owner.containers;
    process.kill(owner.pid, 'SIGSTOP'); // as a debugger does it
    const container = await lab.engine.containers.get(id);
    assert.equal((await container.exec(['touch', '/go'])).exitCode, 0);
    assert.equal((await container.wait()).exitCode, 4);
    assert.equal(await lastLine(lab, id), String(lines));
    process.kill(owner.pid, 'SIGCONT');
    await owner.kill();
    await container.remove({ force: true });
  }
});

import assert from 'node:assert/strict';
import { appendFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Engine, type EngineEvent } from 'tscontainer';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { eventually } from '../../helpers/eventually.js';
import { startOwner } from '../../helpers/owner.js';

describe('engine.events() on a real kernel', () => {
  let lab: EngineLab;
  let image: string;
  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
    await lab.engine.images.pull(image);
  });
  after(() => lab[Symbol.asyncDispose]());

  test('tells what supervisors do while no engine is open', async () => {
    const since = new Date();
    const command = ['sh', '-c', 'echo x >> /n; exit $(wc -l < /n)'];
    const restart = { policy: 'on-failure', maxRetries: 2 } as const;
    const options = { image, network: 'none', restart, command, lifetime: 'detached', name: 'again' } as const;
    const owner = await startOwner(lab.options, [options]);
    await owner.kill();
    await using container = await lab.engine.containers.get('again');
    await eventually('it has ended for good', () => container.status === 'exited', 10_000);
    await using other = await Engine.open(lab.options);
    const seen: EngineEvent[] = [];
    const until = new Date(Date.now() + 1);
    for await (const event of other.events({ since, until, filters: { container: 'again' } })) seen.push(event);
    assert.deepEqual(
      seen.map((event) => (event.action === 'die' ? event.exit.exitCode : event.action)),
      ['create', 'start', 1, 'start', 2, 'start', 3],
    );
    const pids = seen.flatMap((event) => (event.action === 'start' ? [event.pid] : []));
    assert.equal(new Set(pids).size, 3);
  });

  test('tells another process of each run once, in order, with many at once', async () => {
    await using other = await Engine.open(lab.options);
    const seen = new Map<string, string[]>();
    const count = 24;
    const reading = (async () => {
      let gone = 0;
      for await (const event of other.events({ filters: { type: 'container' } })) {
        const list = seen.get(event.id) ?? [];
        seen.set(event.id, [...list, event.action === 'die' ? `die ${event.exit.exitCode}` : event.action]);
        if (event.action === 'destroy' && ++gone === count) return;
      }
    })();
    const runs = Array.from({ length: count }, (_, code) =>
      lab.engine.run(image, ['sh', '-c', `exit ${code}`], { network: 'none' }),
    );
    await Promise.all(runs);
    await reading;
    const wanted = Array.from({ length: count }, (_, code) => `create,start,die ${code},destroy`);
    assert.deepEqual([...seen.values()].map(String).sort(), wanted.sort());
  });

  test('supervisors rotate the journal, and a follower loses nothing to that', async () => {
    await using container = await lab.engine.containers.create({
      image,
      network: 'none',
      command: ['sh', '-c', 'echo x >> /n; exit $(wc -l < /n)'],
      restart: { policy: 'on-failure', maxRetries: 3 },
    });
    const journal = join(lab.options.root, 'events', 'events.jsonl');
    const fill = (): void => appendFileSync(journal, `${'#'.repeat(4 * 2 ** 20)}\n`); // passed over, but it counts
    const told = lab.engine.events({ filters: { container: container.id } });
    const events = told[Symbol.asyncIterator]();
    const seen: string[] = [];
    await container.start();
    while (seen.at(-1) !== 'die 4') {
      const { value } = await events.next();
      seen.push(value?.action === 'die' ? `die ${value.exit.exitCode}` : String(value?.action));
      if (seen.at(-1) === 'die 1' || seen.at(-1) === 'die 3') fill(); // the next start of the supervisor rotates it
    }
    await events.return?.();
    assert.deepEqual(seen, ['start', 'die 1', 'start', 'die 2', 'start', 'die 3', 'start', 'die 4']);
    assert.ok(statSync(`${journal}.1`).size > 4 * 2 ** 20 && statSync(journal).size < 2 ** 20);
  });
});

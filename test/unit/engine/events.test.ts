import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { EngineEvent } from '#lib/core/engine-event.js';
import { EventJournal } from '#lib/engine/events/event-journal.js';
import { followEvents } from '#lib/engine/events/follow-events.js';
import { endOfJournal } from '#lib/engine/events/read-journal.js';
import { MemoryKernel } from '#lib/kernel/memory/memory-kernel.js';
import { openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';
import { scopedDirectory } from '../../helpers/scoped-directory.js';

const short = (event: EngineEvent): string =>
  [event.action, 'exit' in event && event.exit.exitCode, 'signal' in event && event.signal]
    .filter((each) => each !== false)
    .join(' ');

async function take(events: AsyncIterable<EngineEvent>, count: number): Promise<readonly EngineEvent[]> {
  const taken: EngineEvent[] = [];
  for await (const event of events) if (taken.push(event) === count) break;
  return taken;
}

describe('engine.events()', () => {
  test('tells the life of a container in order, in every process, from the call on', async (context) => {
    const { create, other } = await openMemoryLab(context);
    const labels = { tier: 'web' };
    const container = await create(['hang'], { name: 'web', labels });
    const engines = [await other(), await other()];
    const streams = engines.map((each) => each.events({ filters: { type: 'container' } }));
    await container.start();
    await container.rename('www');
    await container.pause();
    await container.unpause();
    await container.stop({ timeoutMs: 0 });
    await container.start();
    await container.remove({ force: true });
    const wanted = ['start', 'rename', 'pause', 'unpause', 'kill SIGKILL', 'die 137', 'stop', 'start', 'kill SIGKILL'];
    for (const events of streams) {
      const seen = await take(events, 11);
      assert.deepEqual(seen.map(short), [...wanted, 'die 137', 'destroy']);
      for (const event of seen) {
        assert.ok(event.type === 'container' && event.id === container.id && event.image === 'test');
        assert.deepEqual(event.labels, labels);
        assert.ok(Math.abs(event.time.getTime() - Date.now()) < 60_000);
      }
      assert.deepEqual(
        seen.flatMap((event) => ('oldName' in event ? [event.oldName, event.name] : [])),
        ['web', 'www'],
      );
      const die = seen.find(({ action }) => action === 'die');
      assert.ok(die?.action === 'die' && die.exit.signal === 'SIGKILL' && !die.exit.oomKilled);
    }
  });

  test('tells what happens to images', async (context) => {
    const { engine } = await openMemoryLab(context);
    const events = engine.events();
    const image = await engine.images.pull('test');
    await engine.images.tag('test', 'other:1');
    await engine.images.untag('other:1');
    await engine.images.remove(image.id);
    const seen = await take(events, 5);
    assert.deepEqual(
      seen.map((event) => [event.type, event.action, event.type === 'image' && event.name]),
      [
        ['image', 'pull', 'docker.io/library/test:latest'],
        ['image', 'tag', 'docker.io/library/other:1'],
        ['image', 'untag', 'docker.io/library/other:1'],
        ['image', 'untag', 'docker.io/library/test:latest'],
        ['image', 'delete', undefined],
      ],
    );
    for (const { id } of seen) assert.equal(id, image.id);
  });

  test('goes back to an earlier time, ends at a later one, and filters', async (context) => {
    const { create, engine } = await openMemoryLab(context);
    const since = new Date();
    const first = await create(['exit', '3'], { name: 'first', labels: { tier: 'web' } });
    const second = await create(['exit', '4'], { name: 'second' });
    for (const each of [first, second]) {
      await each.start();
      await each.wait();
    }
    const until = new Date(Date.now() + 1);
    const all = async (filters: object): Promise<readonly string[]> => {
      const seen: EngineEvent[] = [];
      for await (const event of engine.events({ since, until, filters })) seen.push(event);
      return seen.map(short);
    };
    const one = (code: number): readonly string[] => ['create', 'start', `die ${code}`];
    assert.deepEqual(await all({ container: 'first' }), one(3));
    assert.deepEqual(await all({ container: [second.id.slice(0, 12)] }), one(4));
    assert.deepEqual(await all({ label: 'tier=web' }), one(3));
    assert.deepEqual(await all({ event: 'die' }), ['die 3', 'die 4']);
    assert.deepEqual(await all({ type: 'container', image: 'test', event: ['create'] }), ['create', 'create']);
    assert.deepEqual(await all({ type: 'image' }), ['pull']);
    const future = new Date(Date.now() + 150);
    const begun = performance.now();
    for await (const _ of engine.events({ until: future })) assert.fail('nothing happens');
    assert.ok(performance.now() - begun >= 100);
  });

  test('ends with its signal and with the engine', async (context) => {
    const { engine, other } = await openMemoryLab(context);
    const controller = new AbortController();
    const aborted = take(engine.events({ signal: controller.signal }), 1);
    controller.abort(new Error('enough'));
    await assert.rejects(aborted, /enough/);
    const closing = await other();
    const closed = rejection(take(closing.events(), 1), 'CLOSED');
    await closing.close();
    await closed;
  });

  test('options that mean nothing are refused at once', async (context) => {
    const { engine } = await openMemoryLab(context);
    const rows: readonly (readonly [object, string])[] = [
      [{ since: 'yesterday' }, 'since'],
      [{ until: new Date(Number.NaN) }, 'until'],
      [{ filters: { colour: 'red' } }, 'filters.colour'],
      [{ filters: { container: 7 } }, 'filters.container'],
      [{ filters: { label: '=' } }, 'filters.label'],
    ];
    for (const [options, option] of rows) {
      const error = await rejection(
        Promise.resolve().then(() => engine.events(options)),
        'INVALID_OPTION',
      );
      assert.equal(error.data.option, option);
    }
  });

  test('a journal that cannot be written is told, and hinders nothing', async (context) => {
    const { create, engine, services } = await openMemoryLab(context);
    const { file } = services.journal;
    rmSync(file, { force: true });
    mkdirSync(file);
    const told: string[] = [];
    engine.on('journal.failed', ({ path }) => told.push(path));
    await (await create(['hang'])).remove();
    assert.deepEqual(told, [file, file, file], 'pull, create and destroy');
  });
});

describe('the journal', () => {
  const imageEvent = (id: number): string =>
    JSON.stringify({ time: Date.now() * 1000, type: 'image', action: 'pull', id: `${id}`, name: 'x'.repeat(1000) });

  test('a follower loses nothing to rotation, and a file stays small', async (context) => {
    const directory = await scopedDirectory(context);
    const journal = new EventJournal(directory, new MemoryKernel());
    const events = followEvents(journal, endOfJournal(journal), () => true, {});
    const ids: number[] = [];
    for (let round = 0; round < 40; round += 1) {
      for (let index = 0; index < 400; index += 1) journal.append(imageEvent(round * 400 + index));
      for (let index = 0; index < 400; index += 1) ids.push(Number((await events.next()).value?.id));
    }
    await events.return();
    assert.deepEqual(ids, [...Array(16_000).keys()]);
    for (const path of [journal.file, journal.older]) assert.ok(statSync(path).size < 5 * 2 ** 20, path);
  });

  test('a follower that is too slow is told', async (context) => {
    const journal = new EventJournal(await scopedDirectory(context), new MemoryKernel());
    journal.append(imageEvent(0));
    const events = followEvents(journal, endOfJournal(journal), () => true, {});
    journal.append(imageEvent(1));
    assert.equal((await events.next()).value?.id, '1');
    for (let index = 2; index < 12_000; index += 1) journal.append(imageEvent(index));
    await rejection(
      (async () => {
        for await (const _ of events);
      })(),
      'EVENTS_OVERRUN',
    );
  });

  test('lines that were cut or are not ours are passed over', async (context) => {
    const journal = new EventJournal(await scopedDirectory(context), new MemoryKernel());
    journal.append(imageEvent(1));
    const junk = ['nonsense', '[]', '{"time":1,"type":"image","action":"eat","id":"1"}', '{"time":1,"type":"contai'];
    for (const line of junk) appendFileSync(journal.file, `${line}\n`);
    appendFileSync(journal.file, imageEvent(2).slice(0, 40));
    journal.append(imageEvent(3));
    const seen: string[] = [];
    const until = new Date(Date.now() + 1);
    for await (const { id } of followEvents(journal, 'begin', () => true, { until })) seen.push(id);
    assert.deepEqual(seen, ['1', '3']);
    assert.ok(existsSync(journal.file) && readFileSync(journal.file, 'utf8').includes('nonsense'));
  });
});

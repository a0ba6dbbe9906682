import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { EngineError } from 'tscontainer';
import { forExit, forLogLine, forPort, needs, startServices } from 'tscontainer/testing';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';

const FOREVER = 'while :; do sleep 1; done';

describe('services that depend on each other', () => {
  let lab: EngineLab;
  let image: string;

  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
    await lab.engine.images.pull(image);
  });
  after(() => lab[Symbol.asyncDispose]());

  const sh = (script: string) => ({ image, command: ['sh', '-c', script] });
  const left = async (): Promise<number> => (await lab.engine.containers.list()).length;

  test('start in the order of their dependencies, know addresses, and go together', async () => {
    const order: string[] = [];
    lab.engine.on('container.started', ({ id }) => order.push(id));
    const running = await startServices(lab.engine, {
      app: needs(['db', 'migration'], ({ db }) => ({
        ...sh(`echo hello | nc $DATABASE; ${FOREVER}`),
        env: { DATABASE: db.endpoint(5432).replace(':', ' ') },
        ready: forLogLine('hello'),
      })),
      db: { ...sh('sleep 0.1; nc -ll -p 5432 -e cat'), ready: forPort(5432), ports: ['127.0.0.1::5432'] },
      migration: { ...sh('exit 0'), ready: forExit(), dependsOn: ['db'] },
    });
    const { app, db, migration } = running.services;
    assert.deepEqual(order, [db.container.id, migration.container.id, app.container.id]);
    assert.equal(running.get('db'), running.get('db'));
    assert.ok(db.hostPort(5432) > 0);
    assert.throws(() => app.hostPort(80), { code: 'INVALID_OPTION' });
    await running.close();
    await running.close();
    assert.equal(await left(), 0);
  });

  test('are all removed when one fails, which the one error names', async () => {
    const failing = startServices(lab.engine, {
      good: sh(FOREVER),
      bad: { ...sh('echo no disk; exit 5'), ready: forPort(1) },
      waiting: { ...sh(FOREVER), ready: forPort(2) },
      after: { ...sh(FOREVER), dependsOn: ['bad'] },
    });
    await assert.rejects(failing, (error) => {
      assert.ok(EngineError.is(error, 'SERVICE_FAILED'), String(error));
      assert.equal(error.data.service, 'bad');
      assert.ok(EngineError.is(error.cause, 'ENDED_BEFORE_READY'));
      assert.deepEqual(error.cause.data.lastLines, ['no disk']);
      return true;
    });
    assert.equal(await left(), 0);
  });

  test('fail when a ready one ends while another is starting', async () => {
    const failing = startServices(lab.engine, {
      db: { ...sh('echo ready; sleep 0.2; exit 7'), ready: forLogLine('ready') },
      app: { ...sh(FOREVER), ready: forPort(1), dependsOn: ['db'] },
    });
    await assert.rejects(failing, /^EngineError: service 'db': it ended with exit code 7 while others/);
    assert.equal(await left(), 0);
  });

  test('are all removed on abort', async () => {
    const abort = new AbortController();
    const first = new Promise<void>((resolve) => lab.engine.on('container.started', () => resolve()));
    const options = { signal: abort.signal };
    const starting = startServices(lab.engine, { a: { ...sh(FOREVER), ready: forPort(1) }, b: sh(FOREVER) }, options);
    await first;
    abort.abort(new Error('enough'));
    await assert.rejects(starting, /^Error: enough$/);
    assert.equal(await left(), 0);
  });

  test('are refused before anything starts when a name is unknown or there is a circle', async () => {
    const unknown = startServices(lab.engine, { a: { ...sh('exit'), dependsOn: ['b'] } });
    await assert.rejects(unknown, /a\.dependsOn: expected one of a, got b/);
    const circle = { a: { ...sh('exit'), dependsOn: ['b'] }, b: needs(['a'], () => sh('exit')) };
    await assert.rejects(startServices(lab.engine, circle), /got a → b → a/);
    assert.equal(await left(), 0);
  });
});

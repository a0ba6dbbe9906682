import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Container, type ContainerOptions, EngineError } from 'tscontainer';
import {
  allOf,
  forCommand,
  forCondition,
  forExit,
  forHealth,
  forHttp,
  forLogLine,
  forPort,
  type Readiness,
  waitFor,
} from 'tscontainer/testing';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';

const FOREVER = 'while :; do sleep 1; done';

describe('waiting until a container is ready', () => {
  let lab: EngineLab;
  let image: string;

  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
    await lab.engine.images.pull(image);
  });
  after(() => lab[Symbol.asyncDispose]());

  const start = async (script: string, options: Partial<ContainerOptions> = {}): Promise<Container> => {
    const command = ['sh', '-c', script];
    const container = await lab.engine.containers.create({
      image,
      command,
      network: 'none',
      stopTimeoutMs: 0,
      ...options,
    });
    await container.start();
    return container;
  };

  test('a log line is found, also one that was there before, and no line of an earlier run', async () => {
    await using container = await start(`echo ready 1; echo ready 2; ${FOREVER}`);
    await waitFor(container, forLogLine(/ready/g, { times: 2 }));
    await waitFor(container, forLogLine('ready 2', { stream: 'stdout' }));
    await container.stop();
    await container.start();
    const thrice = waitFor(container, forLogLine('ready', { times: 3 }), { timeoutMs: 500 });
    await assert.rejects(thrice, (error) => {
      assert.ok(EngineError.is(error, 'READY_TIMEOUT'), String(error));
      assert.equal(error.data.observed, '2 such lines');
      assert.equal(error.data.lastLines.at(-1), 'ready 2');
      return true;
    });
  });

  test('a port is found without a program of the image, in every kind of network', async () => {
    for (const network of ['none', 'bridge', 'host'] as const) {
      await using container = await start('sleep 0.1; nc -ll -p 15432 -e cat', { network });
      await waitFor(container, forPort(15432));
    }
  });

  test('a port at loopback is not one that others reach', async () => {
    await using container = await start('mkdir -p /www; httpd -f -p 127.0.0.1:5432 -h /www', { network: 'bridge' });
    await assert.rejects(waitFor(container, forPort(5432), { timeoutMs: 500 }), (error) => {
      assert.ok(EngineError.is(error, 'READY_TIMEOUT'), String(error));
      assert.match(error.data.observed, /loopback/);
      return true;
    });
    await assert.rejects(waitFor(container, forPort(5433), { timeoutMs: 50 }), /listens at other ports: 5432/);
  });

  test('a port of the host that another process listens at is not the container’s', async () => {
    await using other = await start('nc -ll -p 15433 -e cat', { network: 'host' });
    await waitFor(other, forPort(15433));
    await using container = await start(FOREVER, { network: 'host' });
    await assert.rejects(waitFor(container, forPort(15433), { timeoutMs: 100 }), /no process of the container/);
  });

  test('an HTTP path is asked from the host, until status and body are right', async () => {
    const script = `mkdir -p /www; httpd -p 8080 -h /www; sleep 0.2; echo well > /www/health; ${FOREVER}`;
    await using container = await start(script, { network: 'bridge' });
    await waitFor(container, forHttp('/nothing', { port: 8080, status: 404 }));
    await waitFor(container, forHttp('/health', { port: 8080, body: /^well$/m }));
    await assert.rejects(
      waitFor(container, forHttp('/no', { port: 8080 }), { timeoutMs: 100 }),
      /last seen: status 404/,
    );
    await using alone = await start(FOREVER);
    await assert.rejects(waitFor(alone, forHttp('/', { port: 80 })), { code: 'INVALID_OPTION' });
  });

  test('a health check, a command, a condition and all of them', async () => {
    const healthcheck = { test: ['CMD', 'test', '-e', '/tmp/well'], intervalMs: 20, retries: 1000 };
    await using container = await start(`mkdir -p /tmp; sleep 0.2; touch /tmp/well; ${FOREVER}`, { healthcheck });
    let asked = 0;
    const third = forCondition(async (given) => {
      assert.equal(given.id, container.id);
      asked += 1;
      if (asked === 1) throw new Error('not yet');
      return asked === 3;
    });
    await waitFor(container, allOf(forHealth(), forCommand(['test', '-e', '/tmp/well']), third));
    assert.equal(asked, 3);
    const missing = waitFor(container, forCommand(['no-such-program']));
    await assert.rejects(missing, { code: 'PROGRAM_NOT_FOUND' });
  });

  test('an unhealthy container fails, and so does one without a health check', async () => {
    const healthcheck = { test: ['CMD', 'sh', '-c', 'echo so ill; exit 1'], intervalMs: 20, retries: 2 };
    await using ill = await start(FOREVER, { healthcheck });
    await assert.rejects(waitFor(ill, forHealth()), /unhealthy after 2 failures of its check: so ill/);
    await using unknown = await start(FOREVER);
    await assert.rejects(waitFor(unknown, forHealth()), { code: 'INVALID_OPTION' });
  });

  const never: Readonly<Record<string, Readiness>> = {
    port: forPort(5432),
    log: forLogLine('never'),
    http: forHttp('/', { port: 80 }),
    health: forHealth(),
    command: forCommand(['false']),
    'slow command': forCommand(['sleep', '60']),
    condition: forCondition(() => new Promise(() => undefined)),
    all: allOf(forPort(5432), forLogLine('never')),
  };
  for (const [name, readiness] of Object.entries(never)) {
    test(`${name}: fails at once when the container dies, with exit code and last lines; ends on abort`, async () => {
      const options = { network: 'bridge', healthcheck: { test: ['CMD', 'false'], retries: 1000 } } as const;
      await using container = await start('read line; echo last words; exit 3', { ...options, openStdin: true });
      const abort = new AbortController();
      const aborted = waitFor(container, readiness, { signal: abort.signal });
      abort.abort(new Error('enough'));
      await assert.rejects(aborted, /^Error: enough$/);

      const waiting = waitFor(container, readiness);
      const streams = await container.attach({ stdin: true });
      streams.stdin?.end('go\n');
      await assert.rejects(waiting, (error) => {
        assert.ok(EngineError.is(error, 'ENDED_BEFORE_READY'), String(error));
        const { exitCode, signal, oomKilled, lastLines } = error.data;
        assert.deepEqual({ exitCode, signal, oomKilled }, { exitCode: 3, signal: undefined, oomKilled: false });
        assert.deepEqual(lastLines, ['last words']);
        return true;
      });
    });
  }

  test('a container that has been killed for its memory says so', async () => {
    await using container = await start('tail /dev/zero', { memory: '16m', memorySwap: '16m' });
    await assert.rejects(waitFor(container, forPort(1)), /SIGKILL\), for lack of memory, before it was ready/);
  });

  test('work that is to end is ready when it has, with the right exit code', async () => {
    await using good = await start('exit 4');
    await waitFor(good, allOf(forExit(4)));
    await assert.rejects(waitFor(good, forExit()), { code: 'ENDED_BEFORE_READY' });
  });

  test('what makes no sense is refused, and a container that was never started', async () => {
    assert.throws(() => forPort(0), { code: 'INVALID_OPTION' });
    assert.throws(() => forPort('1/sctp' as '1/tcp'), { code: 'INVALID_OPTION' });
    assert.throws(() => forLogLine('x', { times: 0 }), { code: 'INVALID_OPTION' });
    assert.throws(() => forHttp('health', { port: 80 }), { code: 'INVALID_OPTION' });
    assert.throws(() => allOf(), { code: 'INVALID_OPTION' });
    await using container = await lab.engine.containers.create({ image });
    await assert.rejects(waitFor(container, forPort(80)), { code: 'WRONG_STATE' });
    await assert.rejects(waitFor(container, forPort(80), { timeoutMs: -1 }), { code: 'INVALID_OPTION' });
  });
});

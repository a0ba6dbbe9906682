import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Container, Engine } from 'tscontainer';
import { busyboxMembers } from '../../helpers/busybox-layer.js';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { eventually } from '../../helpers/eventually.js';
import { replyBlob, type Step } from '../../helpers/fake-registry.js';
import { assertSameFootprint, type Footprint, settledFootprint } from '../../helpers/footprint.js';
import { publishImage } from '../../helpers/publish-image.js';
import { rejection } from '../../helpers/rejection.js';
import { storedContent } from '../../helpers/stored-content.js';

const offline = { network: 'none' } as const;
const moments = ['before', 0, 1, 2, 5, 10, 20] as const;

/** Aborts at a moment and gives whether that was early enough; any other error than the reason is a failure. */
async function abortAt(moment: (typeof moments)[number], work: (signal: AbortSignal) => Promise<unknown>) {
  const controller = new AbortController();
  const reason = new Error(`aborted ${moment}`);
  const timer = moment === 'before' ? undefined : setTimeout(() => controller.abort(reason), moment);
  if (moment === 'before') controller.abort(reason);
  try {
    await work(controller.signal);
    assert.notEqual(moment, 'before', 'an aborted signal lets nothing begin');
    return false;
  } catch (error) {
    assert.equal(error, reason);
    return true;
  } finally {
    clearTimeout(timer);
  }
}

/** A blob in pieces, one per turn of the event loop. */
function slowly(bytes: Buffer): Step {
  return (request, response) => {
    if (request.headers.range !== undefined) return replyBlob(bytes)(request, response);
    response.writeHead(200, { 'content-length': String(bytes.length) });
    const send = (at: number): void => {
      if (response.destroyed) return;
      if (at >= bytes.length) return void response.end();
      response.write(bytes.subarray(at, at + 64 * 1024));
      setImmediate(send, at + 64 * 1024);
    };
    send(0);
  };
}

describe('an abort at any moment rejects with its reason and leaves nothing', () => {
  let lab: EngineLab;
  let image: string;
  let long: Container;
  let still: Footprint;

  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
    long = await lab.engine.containers.create({ image, command: ['sleep', '1000'], ...offline });
    await long.start();
    await lab.engine.run(image, ['true'], { network: 'bridge' }); // the bridge stays until the engine is closed
    await eventually(
      'the pair of that run is gone',
      () => !readdirSync('/sys/class/net').some((name) => /^tsv/.test(name)),
    );
    // Connections to the registry may stay for the next request until the engine is closed.
    still = await settledFootprint({
      roots: [join(lab.options.runRoot, 'containers'), join(lab.options.root, 'containers')],
      except: ['file descriptor'],
    });
  });
  after(() => lab[Symbol.asyncDispose]());

  const check = async (): Promise<void> => {
    await assertSameFootprint(still);
    assert.equal((await lab.engine.run(image, ['echo', 'ok'], offline)).stdout, 'ok\n');
  };

  for (const [index, moment] of moments.entries()) {
    const when = moment === 'before' ? 'before' : `after ${moment} ms`;

    test(`pull ${when}`, async () => {
      const stored = await storedContent(lab.options.root);
      const layers = [1, 2, 3].map((part) =>
        Buffer.concat([busyboxMembers(), Buffer.alloc(1024), Buffer.from(`${index} ${part}`)]),
      );
      const digests: string[] = [];
      const reference = publishImage(lab.registry, `lab/pull-${index}`, {
        layers,
        changeManifest: (manifest) => {
          digests.push(...(manifest as { layers: { digest: string }[] }).layers.map(({ digest }) => digest));
          return manifest;
        },
      });
      for (const [part, bytes] of layers.entries()) {
        lab.registry.script(`/v2/lab/pull-${index}/blobs/${digests[part]}`, slowly(bytes));
      }
      const aborted = await abortAt(moment, (signal) => lab.engine.images.pull(reference, { signal }));
      if (aborted) {
        const left = (await storedContent(lab.options.root)).filter((path) => !stored.includes(path));
        assert.deepEqual(
          left.filter((path) => /^(layers\/tmp|images|containers)\//.test(path)),
          [],
        );
        assert.ok(!(await lab.engine.images.list()).some(({ name }) => name === reference));
      }
      await lab.engine.images.pull(reference);
      await lab.engine.images.remove(reference);
      assert.deepEqual(await storedContent(lab.options.root), stored);
      await check();
    });

    test(`create ${when}`, async () => {
      await abortAt(moment, async (signal) => {
        const made = await lab.engine.containers.create({ image, command: ['true'], signal, ...offline });
        await made.remove();
      });
      await check();
    });

    test(`start ${when}`, async () => {
      const container = await lab.engine.containers.create({ image, command: ['sleep', '1000'], ...offline });
      const aborted = await abortAt(moment, (signal) => container.start({ signal }));
      assert.equal(container.status, aborted ? 'created' : 'running');
      if (aborted) await container.start();
      await container.remove({ force: true });
      await check();
    });

    test(`start of a detached container ${when}`, async () => {
      const options = { image, command: ['sleep', '1000'], lifetime: 'detached', ...offline } as const;
      const container = await lab.engine.containers.create(options);
      const aborted = await abortAt(moment, (signal) => container.start({ signal }));
      assert.equal(container.status, aborted ? 'created' : 'running');
      await container.remove({ force: true });
      await check();
    });

    test(`exec ${when}`, async () => {
      const aborted = await abortAt(moment, (signal) => long.exec(['sleep', '1000'], { signal }));
      assert.ok(aborted);
      await check();
    });

    test(`run ${when}`, async () => {
      const options = { network: 'bridge', ports: ['127.0.0.1::80'] } as const;
      const aborted = await abortAt(moment, (signal) =>
        lab.engine.run(image, ['sleep', '1000'], { ...options, signal }),
      );
      assert.ok(aborted);
      assert.equal((await lab.engine.containers.list()).length, 1);
      await check();
    });
  }

  test('an abort of waiting and of following ends only that', async () => {
    for (const moment of [0, 5] as const) {
      assert.ok(await abortAt(moment, (signal) => long.wait({ signal })));
      const follow = async (signal: AbortSignal): Promise<void> => {
        for await (const line of long.logs({ follow: true, signal })) assert.fail(line.text);
      };
      assert.ok(await abortAt(moment, follow));
    }
    assert.equal(long.status, 'running');
  });
});

describe('a closed engine', () => {
  test('refuses everything with CLOSED, and closes twice', async () => {
    await using lab = await openEngineLab();
    const image = lab.image();
    const container = await lab.engine.containers.create({ image, command: ['sleep', '1000'], ...offline });
    await container.start();
    await Promise.all([lab.engine.close(), lab.engine.close()]);
    await lab.engine.close();
    const { engine } = lab;
    const calls: readonly (readonly [name: string, call: () => Promise<unknown>])[] = [
      ['run', () => engine.run(image, ['true'])],
      ['images.pull', () => engine.images.pull(image)],
      ['images.list', () => engine.images.list()],
      ['images.get', () => engine.images.get(image)],
      ['images.remove', () => engine.images.remove(image)],
      ['images.fromHost', () => engine.images.fromHost({ binaries: ['sh'], tag: 't' })],
      ['containers.create', () => engine.containers.create({ image })],
      ['containers.list', () => engine.containers.list()],
      ['containers.get', () => engine.containers.get('x')],
      ['start', () => container.start()],
      ['exec', () => container.exec(['true'])],
      ['spawn', () => container.spawn(['true'])],
    ];
    for (const [name, call] of calls) {
      const error = await rejection(call(), 'CLOSED');
      assert.equal(error.kind, 'conflict', name);
      assert.equal(error.data.what, 'engine', name);
    }
    assert.equal((await container.wait()).signal, 'SIGKILL', 'how a container has ended stays known');
    await container.remove();
  });

  test('ends a run, an exec, a start and a pull that are under way', async () => {
    await using lab = await openEngineLab();
    const image = lab.image();
    const container = await lab.engine.containers.create({ image, command: ['sleep', '1000'], ...offline });
    await container.start();
    const other = await lab.engine.containers.create({ image, command: ['sleep', '1000'], ...offline });
    const endless = publishImage(lab.registry, 'lab/endless', {
      layers: [Buffer.alloc(10_240)],
      changeManifest: (manifest) => {
        const { layers } = manifest as { layers: { digest: string }[] };
        lab.registry.script(`/v2/lab/endless/blobs/${layers[0]?.digest}`, (_request, response) => {
          response.writeHead(200, { 'content-length': '10240' });
          response.write('x'); // and nothing more
        });
        return manifest;
      },
    });
    const running = [
      lab.engine.run(image, ['sleep', '1000'], offline),
      lab.engine.images.pull(endless),
      container.exec(['sleep', '1000']),
      other.start(),
      lab.engine.containers.create({ image: endless }),
    ].map((work) => rejection(work, 'CLOSED'));
    await new Promise((resolve) => setImmediate(resolve));
    await lab.engine.close();
    await Promise.all(running);

    await using again = await Engine.open(lab.options);
    assert.deepEqual(await again.containers.list(), []);
  });

  test('a wait that has begun before the close ends with it', async () => {
    await using lab = await openEngineLab();
    const container = await lab.engine.containers.create({
      image: lab.image(),
      command: ['sleep', '1000'],
      ...offline,
    });
    await container.start();
    const waiting = container.wait();
    await lab.engine.close();
    assert.equal((await waiting).exitCode, 137);
  });
});

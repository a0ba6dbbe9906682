import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '#lib/core/digest.js';
import { addBuiltImage } from '../../helpers/built-image.js';
import { openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';
import { tarOf } from '../../helpers/tar-builder.js';

const low = tarOf({ name: 'low', content: Buffer.alloc(1000) });
const high = tarOf({ name: 'high', content: Buffer.alloc(20) });
const history = [
  { created: '2024-01-01T00:00:00Z', created_by: 'ADD rootfs', comment: 'base' },
  { created: '2024-01-02T00:00:00Z', created_by: 'ENV A=1', empty_layer: true },
  { created: 'nonsense', created_by: 'COPY high', author: 'me', comment: 'top' },
];

test('an inspection says what the configuration says, with names of this library', async (context) => {
  const { engine, registry } = await openMemoryLab(context);
  const id = addBuiltImage(registry, 'app:1', {
    created: '2024-01-03T00:00:00Z',
    author: 'somebody',
    labels: { a: 'b' },
    layers: [low, high],
    history,
    config: {
      User: 'app',
      Env: ['A=1'],
      Entrypoint: ['e'],
      Cmd: ['c'],
      ExposedPorts: { '80/tcp': {} },
      Volumes: { '/data': {} },
      WorkingDir: '/srv',
      StopSignal: 'SIGINT',
      Shell: ['/bin/bash', '-c'],
      Healthcheck: { Test: ['CMD', 'true'], Interval: 5e9, Retries: 2 },
      OnBuild: ['RUN x'],
    },
  });
  const pulled = await engine.images.pull('app:1');
  await engine.images.tag('app:1', 'quay.io/other:2');
  const inspection = await engine.images.inspect(id.slice(7, 19));
  const { storedAt, ...rest } = inspection;
  assert.ok(Math.abs(Date.now() - storedAt.getTime()) < 60_000);
  assert.deepEqual(rest, {
    id,
    repoTags: ['app:1', 'quay.io/other:2'],
    repoDigests: [`app@${pulled.digest}`, `quay.io/other@${pulled.digest}`],
    manifest: pulled.digest,
    created: new Date('2024-01-03T00:00:00Z'),
    author: 'somebody',
    comment: 'top',
    os: 'linux',
    architecture: pulled.platform.architecture,
    variant: pulled.platform.variant ?? '',
    sizeBytes: 1020,
    compressedBytes: low.byteLength + high.byteLength,
    rootFs: { type: 'layers', layers: [digestOf(low), digestOf(high)] },
    config: {
      user: 'app',
      exposedPorts: ['80/tcp'],
      env: ['A=1'],
      entrypoint: ['e'],
      cmd: ['c'],
      volumes: ['/data'],
      workingDir: '/srv',
      labels: { a: 'b' },
      stopSignal: 'SIGINT',
      shell: ['/bin/bash', '-c'],
      healthcheck: {
        test: ['CMD', 'true'],
        intervalMs: 5000,
        timeoutMs: undefined,
        startPeriodMs: undefined,
        startIntervalMs: undefined,
        retries: 2,
      },
      onBuild: ['RUN x'],
    },
  });
  await rejection(engine.images.inspect('missing'), 'NO_SUCH_IMAGE');
});

test('the history begins with the last step, and steps know their layers and sizes', async (context) => {
  const { engine, registry } = await openMemoryLab(context);
  const id = addBuiltImage(registry, 'app:1', { layers: [low, high], history });
  await engine.images.pull('app:1');
  assert.deepEqual(await engine.images.history('app:1'), [
    {
      id,
      created: undefined,
      createdBy: 'COPY high',
      author: 'me',
      comment: 'top',
      layer: digestOf(high),
      sizeBytes: 20,
      tags: ['app:1'],
    },
    {
      id: undefined,
      created: new Date('2024-01-02T00:00:00Z'),
      createdBy: 'ENV A=1',
      author: '',
      comment: '',
      layer: undefined,
      sizeBytes: 0,
      tags: [],
    },
    {
      id: undefined,
      created: new Date('2024-01-01T00:00:00Z'),
      createdBy: 'ADD rootfs',
      author: '',
      comment: 'base',
      layer: digestOf(low),
      sizeBytes: 1000,
      tags: [],
    },
  ]);
});

test('an image without a history, or with one of other layers, has an entry for each layer', async (context) => {
  const { engine, registry } = await openMemoryLab(context);
  for (const [name, told] of [
    ['silent', undefined],
    ['wrong', history.slice(0, 2)],
  ] as const) {
    addBuiltImage(registry, name, { layers: [low, high], ...(told && { history: told }) });
    await engine.images.pull(name);
    const entries = await engine.images.history(name);
    assert.deepEqual(
      entries.map(({ layer, sizeBytes }) => [layer, sizeBytes]),
      [
        [digestOf(high), 20],
        [digestOf(low), 1000],
      ],
      name,
    );
  }
});

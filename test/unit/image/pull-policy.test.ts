import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine, RegistryClient } from 'tscontainer';
import type { MemoryRegistryClient } from '#lib/registry/memory/memory-registry-client.js';
import { addMemoryImage } from '#lib/testing/memory-image.js';
import { openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';

/** Writes down what is asked of a registry of memory. */
function watched(registry: MemoryRegistryClient): string[] {
  const asked: string[] = [];
  for (const name of ['fetchManifest', 'fetchBlob'] as const) {
    const original: (...args: never[]) => unknown = registry[name].bind(registry);
    Object.assign(registry, {
      [name]: (...args: never[]) => {
        asked.push(name);
        return original(...args);
      },
    } satisfies Partial<Record<keyof RegistryClient, unknown>>);
  }
  return asked;
}

async function commandOf(engine: Engine, image: string, pull: 'missing' | 'always' | 'never'): Promise<string> {
  const container = await engine.containers.create({ image, pull });
  const { config } = await container.inspect();
  await container.remove();
  return config.arguments.join(' ');
}

test('an image is fetched when it is missing, always, or never', async (context) => {
  const { engine, registry } = await openMemoryLab(context);
  addMemoryImage(registry, 'app', { config: { Cmd: ['exit', '1'] } });
  const asked = watched(registry);
  assert.equal((await rejection(commandOf(engine, 'app', 'never'), 'NO_SUCH_IMAGE')).data.reference, 'app');
  assert.equal(asked.length, 0);
  assert.equal(await commandOf(engine, 'app', 'missing'), 'exit 1');
  const first = asked.splice(0);
  assert.ok(first.includes('fetchManifest') && first.includes('fetchBlob'));

  addMemoryImage(registry, 'app', { config: { Cmd: ['exit', '2'] } });
  assert.equal(await commandOf(engine, 'app', 'missing'), 'exit 1');
  assert.equal(await commandOf(engine, 'app', 'never'), 'exit 1');
  assert.equal(asked.length, 0);
  assert.equal(await commandOf(engine, 'app', 'always'), 'exit 2');
  asked.splice(0);
  assert.equal(await commandOf(engine, 'app', 'always'), 'exit 2');
  assert.deepEqual(asked, ['fetchManifest'], 'what is here is asked about, not fetched again');
  const wrong = commandOf(engine, 'app', 'sometimes' as never);
  assert.equal((await rejection(wrong, 'INVALID_OPTION')).data.option, 'pull');
});

test('an image that is pulled by its digest is found by it, and stays what it is when its tag moves on', async (context) => {
  const { engine, registry } = await openMemoryLab(context);
  const digest = addMemoryImage(registry, 'app', { config: { Cmd: ['exit', '1'] } });
  const image = await engine.images.pull(`app@${digest}`);
  assert.deepEqual([image.name, image.digest], [`app@${digest}`, digest]);
  addMemoryImage(registry, 'app', { config: { Cmd: ['exit', '2'] } });
  await engine.images.pull('app');
  assert.equal(await commandOf(engine, `app@${digest}`, 'always'), 'exit 1');
  assert.equal(await commandOf(engine, 'app', 'never'), 'exit 2');
  await rejection(engine.images.pull(`app@sha256:${'0'.repeat(64)}`), 'IMAGE_NOT_FOUND');
});

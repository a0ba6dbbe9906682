import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '#lib/core/digest.js';
import { collectContent } from '#lib/image/collect-content.js';
import { addMemoryImage } from '#lib/testing/memory-image.js';
import { openMemoryLab } from '../../helpers/memory-lab.js';
import { rejection } from '../../helpers/rejection.js';
import { tarOf } from '../../helpers/tar-builder.js';

const shared = tarOf({ name: 'shared', content: 'shared' });
const onlyA = tarOf({ name: 'a', content: 'a' });
const onlyB = tarOf({ name: 'b', content: 'b' });

async function openWithImages(context: Parameters<typeof openMemoryLab>[0]) {
  const lab = await openMemoryLab(context);
  addMemoryImage(lab.registry, 'a', { layers: [shared, onlyA], config: { Cmd: ['hang'] } });
  addMemoryImage(lab.registry, 'b', { layers: [shared, onlyB], config: { Cmd: ['hang'] } });
  await lab.engine.images.pull('a');
  await lab.engine.images.pull('b');
  const isHere = async (bytes: Uint8Array): Promise<boolean> => (await lab.content.stat(digestOf(bytes))) !== undefined;
  return { ...lab, isHere };
}

test('what no image needs goes with the last name, what another shares stays', async (context) => {
  const { engine, isHere, services } = await openWithImages(context);
  await engine.images.remove('a');
  assert.deepEqual([await isHere(shared), await isHere(onlyA), await isHere(onlyB)], [true, false, true]);
  const { layers } = services.images;
  assert.ok(await layers.has([digestOf(shared), digestOf(onlyB)]));
  assert.ok(!(await layers.has([digestOf(shared), digestOf(onlyA)])));
  await engine.images.remove('b');
  assert.ok(!(await isHere(shared)));
});

test('an image with two names keeps its content until both are gone', async (context) => {
  const { engine, registry, isHere } = await openWithImages(context);
  addMemoryImage(registry, 'a:other', { layers: [shared, onlyA], config: { Cmd: ['hang'] } });
  await engine.images.pull('a:other');
  await engine.images.remove('a');
  assert.ok(await isHere(onlyA));
  await engine.images.remove('a:other');
  assert.ok(!(await isHere(onlyA)));
});

test('an image that a container uses is not removed, and the container is named', async (context) => {
  const { engine, registry } = await openWithImages(context);
  const container = await engine.containers.create({ image: 'a' });
  const { data } = await rejection(engine.images.remove('a'), 'IMAGE_IN_USE');
  assert.deepEqual(data, { reference: 'a', containers: [container.id.slice(0, 12)] });
  addMemoryImage(registry, 'a:again', { layers: [shared, onlyA], config: { Cmd: ['hang'] } });
  await engine.images.pull('a:again');
  await engine.images.remove('a'); // another name holds it
  await rejection(engine.images.remove('a:again'), 'IMAGE_IN_USE');
  await container.remove();
  await engine.images.remove('a:again');
});

test('layers of a container outlive the name that moved to another image', async (context) => {
  const { engine, registry, services } = await openWithImages(context);
  const container = await engine.containers.create({ image: 'a' });
  addMemoryImage(registry, 'a', { layers: [onlyB], config: { Cmd: ['new'] } });
  await engine.images.pull('a');
  await collectContent(services.images);
  assert.ok(await services.images.layers.has([digestOf(shared), digestOf(onlyA)]));
  await container.start();
  assert.equal(container.status, 'running');
});

test('nothing is collected while somebody adds content, for that has no name yet', async (context) => {
  const { content, services } = await openWithImages(context);
  const { digest } = await content.put(Buffer.from('of a pull that is under way'));
  await services.images.holdContent(undefined, () => collectContent(services.images));
  assert.ok(await content.stat(digest));
  await collectContent(services.images);
  assert.equal(await content.stat(digest), undefined);
});

test('what is not there cannot be removed', async (context) => {
  const { engine } = await openWithImages(context);
  assert.equal((await rejection(engine.images.remove('missing'), 'NO_SUCH_IMAGE')).data.reference, 'missing');
  await engine.images.remove('a');
  await rejection(engine.images.remove('a'), 'NO_SUCH_IMAGE');
});

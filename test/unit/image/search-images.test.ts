import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchImages } from '#lib/image/search-images.js';
import { MemoryRegistryClient } from '#lib/registry/memory/memory-registry-client.js';
import { addMemoryImage } from '#lib/testing/memory-image.js';
import { rejection } from '../../helpers/rejection.js';

class StarredRegistry extends MemoryRegistryClient {
  override async search(...args: Parameters<MemoryRegistryClient['search']>) {
    const found = await super.search(...args);
    return found.map((each, index) => ({ ...each, stars: index * 10, official: !each.name.includes('/') }));
  }
}

function registryOf(...references: readonly string[]): StarredRegistry {
  const registry = new StarredRegistry();
  for (const reference of references) addMemoryImage(registry, reference);
  return registry;
}

const names = (results: readonly { readonly name: string }[]) => results.map(({ name }) => name);

test('a word is looked for at Docker Hub, or at the registry that is named before it or as an option', async () => {
  const registry = registryOf('nginx', 'team/nginx', 'r.test:5000/my/nginx');
  assert.deepEqual(names(await searchImages(registry, 'nginx', {})), ['nginx', 'team/nginx']);
  for (const [term, options] of [
    ['r.test:5000/nginx', {}],
    ['nginx', { registry: 'https://r.test:5000/' }],
  ] as const) {
    assert.deepEqual(names(await searchImages(registry, term, options)), ['r.test:5000/my/nginx']);
  }
});

test('limits and filters are kept, and what they cannot mean is refused', async () => {
  const registry = registryOf('a-one', 'team/a-two', 'team/a-three');
  assert.equal((await searchImages(registry, 'a-', { limit: 2 })).length, 2);
  assert.deepEqual(names(await searchImages(registry, 'a-', { filters: { official: true } })), ['a-one']);
  assert.equal((await searchImages(registry, 'a-', { filters: { minStars: 10 } })).length, 2);
  for (const options of [
    { limit: 0 },
    { limit: 101 },
    { limit: 1.5 },
    { filters: { minStars: -1 } },
    { registry: 'a b' },
  ]) {
    await rejection(searchImages(registry, 'a', options), 'INVALID_OPTION');
  }
  await rejection(searchImages(registry, '', {}), 'INVALID_OPTION');
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { serveRegistry } from 'tscontainer';
import { MemoryContentStore } from '#lib/content/memory/memory-content-store.js';
import { parseReference } from '#lib/core/reference.js';
import { DistributionRegistryClient } from '#lib/registry/distribution/distribution-registry-client.js';
import { MemoryRegistryClient } from '#lib/registry/memory/memory-registry-client.js';
import { NodeFetchHttpClient } from '#lib/registry/node-fetch/node-fetch-http-client.js';
import type { RegistryClient } from '#lib/registry/registry-client.js';
import { openMemoryEngine } from '#lib/testing/memory-engine.js';
import { addMemoryImage } from '#lib/testing/memory-image.js';
import { type CuttingProxy, startCuttingProxy } from '../../helpers/cutting-proxy.js';
import { startDockerRegistry } from '../../helpers/docker-registry.js';
import { manualClock } from '../../helpers/manual-clock.js';
import { seededRandom } from '../../helpers/random.js';
import { tarOf } from '../../helpers/tar-builder.js';
import { temporaryDirectory } from '../../helpers/temporary-directory.js';

const random = seededRandom(20_261_126);
/** What is on its way when a connection is cut: one read of the proxy, and the headers of some requests. */
const tailBytes = 64 * 1024 + 32 * 1024;

/** Bytes that look random, and are the same in every run. */
function noise(seed: string, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let made = 0; made < length; made += 64) {
    blocks.push(createHash('sha512').update(`${seed} ${made}`).digest());
  }
  return Buffer.concat(blocks, length);
}

const archives = ['a', 'b', 'c'].map((name) => tarOf({ name, content: noise(name, 400_000).toString('latin1') }));
const imageBytes = archives.reduce((sum, { byteLength }) => sum + byteLength, 0);

function clientOf(): DistributionRegistryClient {
  return new DistributionRegistryClient({ http: new NodeFetchHttpClient(), clock: manualClock(), chunkBytes: 100_000 });
}

/** Copies the image from memory to `host`, as `reference`. */
async function upload(client: RegistryClient, reference: string): Promise<void> {
  const memory = new MemoryRegistryClient();
  addMemoryImage(memory, 'source.test/app:1', { layers: archives });
  await using directory = await temporaryDirectory();
  const registry = splice(memory, client);
  const engine = await openMemoryEngine({ root: directory.path, registry });
  try {
    await engine.images.pull('source.test/app:1');
    await engine.images.tag('source.test/app:1', reference);
    await engine.images.push(reference);
  } finally {
    await engine.close();
  }
}

/** Reads from one registry, writes to the other. */
function splice(source: RegistryClient, target: RegistryClient): RegistryClient {
  return {
    fetchManifest: (...args) => source.fetchManifest(...args),
    fetchManifestByDigest: (...args) => source.fetchManifestByDigest(...args),
    fetchBlob: (...args) => source.fetchBlob(...args),
    resolveManifest: (...args) => target.resolveManifest(...args),
    hasBlob: (...args) => target.hasBlob(...args),
    listTags: (...args) => target.listTags(...args),
    listReferrers: (...args) => target.listReferrers(...args),
    listRepositories: (...args) => target.listRepositories(...args),
    pushBlob: (...args) => target.pushBlob(...args),
    pushManifest: (...args) => target.pushManifest(...args),
    deleteManifest: (...args) => target.deleteManifest(...args),
    deleteBlob: (...args) => target.deleteBlob(...args),
    authenticate: (...args) => target.authenticate(...args),
    forget: (...args) => target.forget(...args),
    search: (...args) => target.search(...args),
    close: () => undefined,
  };
}

async function verify(host: string, repository: string): Promise<void> {
  const client = clientOf();
  try {
    const reference = parseReference(`${host}/${repository}:1`);
    const { bytes } = await client.fetchManifest(reference);
    const { layers } = JSON.parse(Buffer.from(bytes).toString());
    for (const layer of layers) {
      const store = new MemoryContentStore();
      await store.ingest(layer, (offset) => client.fetchBlob(reference, layer, offset));
    }
  } finally {
    client.close();
  }
}

describe('a connection that is cut at any of 50 places', () => {
  test('costs a pull nothing but the tail that was lost', async () => {
    await using directory = await temporaryDirectory();
    await using server = await serveRegistry({ directory: join(directory.path, 'registry') });
    await using proxy = await startCuttingProxy(server.host);
    const uploader = clientOf();
    await upload(uploader, `${server.host}/app:1`);
    uploader.close();
    for (let round = 0; round < 50; round += 1) {
      const root = join(directory.path, `root-${round}`);
      const client = clientOf();
      const engine = await openMemoryEngine({ root, registry: client });
      const before = proxy.bytes.down;
      proxy.cutAfter('down', 1 + random.below(imageBytes));
      const seen: number[] = [];
      const image = await engine.images.pull(`${proxy.host}/app:1`, {
        onProgress: async ({ type }) => {
          if (type === 'downloading') seen.push((await engine.images.list()).length);
        },
      });
      assert.equal(image.layers.length, archives.length);
      assert.ok(
        seen.every((count) => count === 0),
        'a half image was listed',
      );
      const fetched = proxy.bytes.down - before;
      assert.ok(fetched <= imageBytes + tailBytes, `round ${round}: ${fetched} of ${imageBytes} bytes`);
      await engine.close();
      client.close();
      await rm(root, { recursive: true });
    }
    assert.equal(proxy.cuts, 50);
  });

  test('costs a push nothing but the tail that was lost', async () => {
    await using directory = await temporaryDirectory();
    await using server = await serveRegistry({ directory: join(directory.path, 'registry') });
    await using proxy = await startCuttingProxy(server.host);
    for (let round = 0; round < 50; round += 1) {
      const before = proxy.bytes.up;
      await pushThrough(proxy, `r${round}`);
      const sent = proxy.bytes.up - before;
      assert.ok(sent <= imageBytes + tailBytes, `round ${round}: ${sent} of ${imageBytes} bytes`);
      await verify(server.host, `r${round}`);
    }
    assert.equal(proxy.cuts, 50);
  });

  test('keeps no push from arriving at docker-registry', async () => {
    await using registry = await startDockerRegistry();
    await using proxy = await startCuttingProxy(registry.host);
    for (let round = 0; round < 10; round += 1) {
      await pushThrough(proxy, `r${round}`);
      await verify(registry.host, `r${round}`);
    }
    assert.equal(proxy.cuts, 10);
  });
});

async function pushThrough(proxy: CuttingProxy, repository: string): Promise<void> {
  const client = clientOf();
  proxy.cutAfter('up', 1 + random.below(imageBytes));
  try {
    await upload(client, `${proxy.host}/${repository}:1`);
  } finally {
    client.close();
  }
}

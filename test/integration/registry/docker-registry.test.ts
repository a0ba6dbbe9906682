import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { FsContentStore } from '#lib/content/fs/fs-content-store.js';
import { digestOf } from '#lib/core/digest.js';
import { decodeImageConfig, pairLayers } from '#lib/core/image-config.js';
import { limits } from '#lib/core/limits.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { parsePlatform } from '#lib/core/platform.js';
import { parseReference, type Reference } from '#lib/core/reference.js';
import type { CredentialSource } from '#lib/registry/credential-source.js';
import { DistributionRegistryClient } from '#lib/registry/distribution/distribution-registry-client.js';
import { fetchImageManifest } from '#lib/registry/fetch-image-manifest.js';
import { StaticCredentialSource } from '#lib/registry/memory/static-credential-source.js';
import { NodeFetchHttpClient } from '#lib/registry/node-fetch/node-fetch-http-client.js';
import { type DockerRegistry, startDockerRegistry } from '../../helpers/docker-registry.js';
import { libcFileLocker } from '../../helpers/libc-file-locker.js';
import { type OciLayout, writeOciLayout } from '../../helpers/oci-layout.js';
import { readAll } from '../../helpers/read-all.js';
import { temporaryDirectory } from '../../helpers/temporary-directory.js';

const run = promisify(execFile);
const platform = parsePlatform('linux/amd64');
/** The first is of bytes that do not compress, so that it takes many packets. */
const layers = [randomBytes(3_000_000), Buffer.alloc(1000, 'small'), Buffer.alloc(700_000, 'layer')];

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let open: DockerRegistry;
let protectedOne: DockerRegistry;
let layout: OciLayout;

before(async () => {
  directory = await temporaryDirectory();
  layout = await writeOciLayout(join(directory.path, 'layout'), '1', layers);
  [open, protectedOne] = await Promise.all([startDockerRegistry(), startDockerRegistry({ login: true })]);
  const source = `oci:${join(directory.path, 'layout')}:1`;
  const push = (...args: readonly string[]) =>
    run('skopeo', ['--insecure-policy', 'copy', '--quiet', '--dest-tls-verify=false', ...args]);
  const { username, password } = protectedOne;
  await push(source, `docker://${open.host}/team/app:1`);
  await push('--format', 'v2s2', source, `docker://${open.host}/team/app:docker`);
  await pushIndex(`http://${open.host}/v2/team/app/manifests/index`);
  await push('--dest-creds', `${username}:${password}`, source, `docker://${protectedOne.host}/app:1`);
});

after(async () => {
  await Promise.all([open?.stop(), protectedOne?.stop()]);
  await directory?.[Symbol.asyncDispose]();
});

async function withClient<T>(
  credentials: CredentialSource | undefined,
  work: (client: DistributionRegistryClient) => Promise<T>,
): Promise<T> {
  const client = new DistributionRegistryClient({ http: new NodeFetchHttpClient(), credentials });
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** skopeo pushes an index only with all of its platforms, so this one is put by hand. */
async function pushIndex(url: string): Promise<void> {
  const { mediaType, digest, size } = layout.manifest;
  const manifests = [{ mediaType, digest, size, platform }];
  const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
  const http = new NodeFetchHttpClient();
  const headers = { 'content-type': mediaTypes.ociIndex };
  const response = await http.request({ method: 'PUT', url: new URL(url), headers, body });
  await readAll(response.body);
  http.close();
  assert.equal(response.status, 201);
}

/** Everything that a pull does before it unpacks. */
async function download(client: DistributionRegistryClient, reference: Reference, store: FsContentStore) {
  const { manifest, fetched } = await fetchImageManifest(client, reference, platform);
  await Promise.all(
    [manifest.config, ...manifest.layers].map((descriptor) =>
      store.ingest(descriptor, (offset) => client.fetchBlob(reference, descriptor, offset)),
    ),
  );
  const config = decodeImageConfig(await store.readBytes(manifest.config.digest, limits.configBytes), 'config');
  return { fetched, config, layers: pairLayers(manifest, config, 'image') };
}

test('an image that skopeo has pushed arrives complete and verified, as OCI and as Docker manifest', async () => {
  for (const tag of ['1', 'docker']) {
    await using target = await temporaryDirectory();
    const store = new FsContentStore(target.path, libcFileLocker());
    const reference = parseReference(`${open.host}/team/app:${tag}`);
    const image = await withClient(undefined, (client) => download(client, reference, store));
    if (tag === '1') assert.equal(image.fetched.descriptor.digest, layout.manifest.digest);
    assert.deepEqual(image.config.config?.Cmd, ['/bin/true']);
    assert.deepEqual(
      image.layers.map(({ diffId }) => diffId),
      layers.map((bytes) => digestOf(bytes)),
    );
    if (tag === '1') {
      for (const [at, { descriptor }] of image.layers.entries()) {
        assert.deepEqual(await readAll(store.read(descriptor.digest)), layout.layers[at]?.bytes);
      }
    }
  }
});

test('a manifest can be fetched by digest, and a blob from its middle on', async () => {
  await withClient(undefined, async (client) => {
    const reference = parseReference(`${open.host}/team/app@${layout.manifest.digest}`);
    assert.equal((await client.fetchManifest(reference)).descriptor.digest, layout.manifest.digest);
    const [layer] = layout.layers;
    assert.ok(layer !== undefined);
    const descriptor = { mediaType: 'x/y', digest: layer.digest, size: layer.bytes.byteLength };
    const part = await client.fetchBlob(reference, descriptor, 1_000_000);
    assert.equal(part.offset, 1_000_000);
    assert.deepEqual(await readAll(part.body), Buffer.from(layer.bytes).subarray(1_000_000));
  });
});

test('an index leads to the manifest of the platform, and says which others it has', async () => {
  const reference = parseReference(`${open.host}/team/app:index`);
  await withClient(undefined, async (client) => {
    const { top, fetched } = await fetchImageManifest(client, reference, platform);
    assert.equal(top.descriptor.mediaType, mediaTypes.ociIndex);
    assert.equal(fetched.descriptor.digest, layout.manifest.digest);
    const other = fetchImageManifest(client, reference, parsePlatform('linux/arm64'));
    await assert.rejects(other, /has no image for linux\/arm64, only for linux\/amd64/);
  });
});

test('unknown repositories, tags, digests and blobs are not found', async () => {
  await withClient(undefined, async (client) => {
    for (const name of ['team/none:1', 'team/app:none', `team/app@${digestOf('none')}`]) {
      const reference = parseReference(`${open.host}/${name}`);
      await assert.rejects(client.fetchManifest(reference), { code: 'IMAGE_NOT_FOUND' });
    }
    const blob = { mediaType: 'x/y', digest: digestOf('none'), size: 4 };
    const reference = parseReference(`${open.host}/team/app:1`);
    await assert.rejects(client.fetchBlob(reference, blob, 0), { code: 'IMAGE_NOT_FOUND' });
  });
});

test('a protected registry opens for its user only', async () => {
  const reference = parseReference(`${protectedOne.host}/app:1`);
  const { username, password } = protectedOne;
  const login = (secret: string) =>
    new StaticCredentialSource({ [protectedOne.host]: { kind: 'basic', username, password: secret } });
  await using target = await temporaryDirectory();
  const store = new FsContentStore(target.path, libcFileLocker());
  const image = await withClient(login(password), (client) => download(client, reference, store));
  assert.equal(image.layers.length, 3);
  for (const credentials of [undefined, login('wrong'), new StaticCredentialSource({})]) {
    const attempt = withClient(credentials, (client) => client.fetchManifest(reference));
    await assert.rejects(attempt, { code: 'REGISTRY_DENIED' });
  }
});

test('a registry that has gone is unreachable', async () => {
  const gone = await startDockerRegistry();
  await gone.stop();
  const client = new DistributionRegistryClient({ http: new NodeFetchHttpClient(), retries: 0 });
  await assert.rejects(client.fetchManifest(parseReference(`${gone.host}/a`)), { code: 'REGISTRY_UNREACHABLE' });
  client.close();
});

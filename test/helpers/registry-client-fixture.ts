import type { Descriptor } from '#lib/core/descriptor.js';
import { digestOf } from '#lib/core/digest.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { parseReference, type Reference } from '#lib/core/reference.js';
import {
  type DistributionOptions,
  DistributionRegistryClient,
} from '#lib/registry/distribution/distribution-registry-client.js';
import { NodeFetchHttpClient } from '#lib/registry/node-fetch/node-fetch-http-client.js';
import { type FakeRegistry, reply, type Step, startFakeRegistry } from './fake-registry.js';
import { type ManualClock, manualClock } from './manual-clock.js';

/** A client, a scripted registry, and an image `app:1` that a test may offer there. */
export interface ClientFixture extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly client: DistributionRegistryClient;
  readonly clock: ManualClock;
  readonly reference: Reference;
  readonly manifestPath: string;
  readonly manifest: Buffer;
  readonly sendManifest: Step;
  readonly blob: Buffer;
  readonly blobDescriptor: Descriptor;
  readonly blobPath: string;
}

export async function clientFixture(options: Partial<DistributionOptions> = {}): Promise<ClientFixture> {
  const registry = await startFakeRegistry();
  const clock = manualClock();
  const client = new DistributionRegistryClient({ http: new NodeFetchHttpClient(), clock, ...options });
  const blob = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * 7919) >> 3));
  const blobDescriptor = { mediaType: mediaTypes.ociLayer, digest: digestOf(blob), size: blob.byteLength };
  const config = { mediaType: mediaTypes.ociConfig, digest: digestOf('config'), size: 6 };
  const manifest = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [blobDescriptor] }),
  );
  return {
    registry,
    client,
    clock,
    reference: parseReference(`${registry.host}/app:1`),
    manifestPath: '/v2/app/manifests/1',
    manifest,
    sendManifest: reply(200, { 'content-type': mediaTypes.ociManifest }, manifest),
    blob,
    blobDescriptor,
    blobPath: `/v2/app/blobs/${blobDescriptor.digest}`,
    [Symbol.asyncDispose]: async () => {
      client.close();
      await registry.close();
    },
  };
}

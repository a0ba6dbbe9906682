import type { Abortable } from '../../core/abortable.js';
import type { Descriptor } from '../../core/descriptor.js';
import { type Digest, digestOf } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { decodeManifestOrIndex } from '../../core/manifest.js';
import { formatFamiliarReference, type Reference } from '../../core/reference.js';
import type { FetchedBlob, FetchedManifest, RegistryClient } from '../registry-client.js';

const chunkBytes = 64 * 1024;

/** A registry in memory: the fake of {@link RegistryClient}. */
export class MemoryRegistryClient implements RegistryClient {
  readonly #blobs = new Map<string, Uint8Array>();
  readonly #manifests = new Map<string, Uint8Array>();

  /** Adds a blob to the repository of `reference`. */
  addBlob(reference: Reference, bytes: Uint8Array, mediaType: string): Descriptor {
    const digest = digestOf(bytes);
    this.#blobs.set(keyOf(reference, digest), bytes);
    return { mediaType, digest, size: bytes.byteLength };
  }

  /** Adds a manifest or index, under its digest and under the tag of `reference`, if it has one. */
  addManifest(reference: Reference, document: object): Descriptor {
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = digestOf(bytes);
    const { mediaType } = decodeManifestOrIndex(bytes, undefined, 'manifest');
    this.#manifests.set(keyOf(reference, digest), bytes);
    if (reference.tag !== undefined) this.#manifests.set(keyOf(reference, reference.tag), bytes);
    return { mediaType, digest, size: bytes.byteLength };
  }

  async fetchManifest(reference: Reference, options: Abortable = {}): Promise<FetchedManifest> {
    options.signal?.throwIfAborted();
    const bytes = this.#manifests.get(keyOf(reference, reference.digest ?? reference.tag ?? 'latest'));
    if (bytes === undefined) throw notFound(reference, formatFamiliarReference(reference));
    const { mediaType } = decodeManifestOrIndex(bytes, undefined, 'manifest');
    return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength }, bytes };
  }

  fetchManifestByDigest(reference: Reference, digest: Digest, options: Abortable = {}): Promise<FetchedManifest> {
    const { registry, repository } = reference;
    return this.fetchManifest({ registry, repository, digest }, options);
  }

  async fetchBlob(
    reference: Reference,
    descriptor: Descriptor,
    offset: number,
    options: Abortable = {},
  ): Promise<FetchedBlob> {
    options.signal?.throwIfAborted();
    const bytes = this.#blobs.get(keyOf(reference, descriptor.digest));
    if (bytes === undefined) throw notFound(reference, `${formatFamiliarReference(reference)}, ${descriptor.digest}`);
    return { offset, body: chunks(bytes.subarray(offset), options) };
  }

  close(): void {
    // Nothing is held.
  }
}

function keyOf({ registry, repository }: Reference, name: string): string {
  return `${registry}/${repository} ${name}`;
}

function notFound({ registry }: Reference, reference: string): EngineError {
  return new EngineError('IMAGE_NOT_FOUND', { reference, registry });
}

async function* chunks(bytes: Uint8Array, options: Abortable): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.byteLength; at += chunkBytes) {
    options.signal?.throwIfAborted();
    yield bytes.subarray(at, at + chunkBytes);
  }
}

import type { Abortable } from '../../core/abortable.js';
import type { Descriptor } from '../../core/descriptor.js';
import { type Digest, digestOf } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { verifyDigest } from '../../core/verify-digest.js';
import type { BlobInfo, BlobSource, BlobWriter, ContentStore, IngestOptions, ReadOptions } from '../content-store.js';
import { isWrongContent, type PartialBlob, receiveBlob, slices } from '../receive-blob.js';
import { SharedIngests } from '../shared-ingests.js';

/** Blobs in memory: the fake of {@link ContentStore}. */
export class MemoryContentStore implements ContentStore {
  readonly #blobs = new Map<Digest, Uint8Array>();
  readonly #partials = new Map<Digest, MemoryPartial>();
  readonly #receiving = new Set<Digest>();
  readonly #ingests = new SharedIngests();

  /** What is there of a digest. */
  async stat(digest: Digest): Promise<BlobInfo | undefined> {
    const bytes = this.#blobs.get(digest);
    return bytes === undefined ? undefined : { digest, size: bytes.byteLength };
  }

  async *read(digest: Digest, options: ReadOptions = {}): AsyncGenerator<Uint8Array, void, void> {
    options.signal?.throwIfAborted();
    const { offset = 0, length } = options;
    const bytes = this.#get(digest).subarray(offset, length === undefined ? undefined : offset + length);
    for (const slice of slices(bytes)) {
      options.signal?.throwIfAborted();
      yield Uint8Array.from(slice);
    }
  }

  async file(digest: Digest): Promise<undefined> {
    this.#get(digest);
  }

  async readBytes(digest: Digest, maxBytes: number): Promise<Uint8Array> {
    const bytes = this.#get(digest);
    if (bytes.byteLength > maxBytes) throw new EngineError('TOO_LARGE', { what: `blob ${digest}`, maxBytes });
    return Uint8Array.from(bytes);
  }

  async ingest(descriptor: Descriptor, source: BlobSource, options: IngestOptions = {}): Promise<void> {
    await this.#ingests.run(descriptor, options, (report) => this.#ingest(descriptor, source, report, options.signal));
  }

  async put(bytes: Uint8Array): Promise<BlobInfo> {
    const digest = digestOf(bytes);
    this.#blobs.set(digest, Uint8Array.from(bytes));
    return { digest, size: bytes.byteLength };
  }

  async putStream(source: AsyncIterable<Uint8Array>, options: Abortable = {}): Promise<BlobInfo> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of source) {
      options.signal?.throwIfAborted();
      chunks.push(Uint8Array.from(chunk));
    }
    return this.put(Buffer.concat(chunks));
  }

  async write(): Promise<BlobWriter> {
    const partial = new MemoryPartial();
    const close = (): Promise<void> => partial.clear();
    return {
      get size() {
        return partial.size;
      },
      append: (bytes) => partial.append(bytes),
      commit: async (digest) => {
        const bytes = partial.bytes();
        verifyDigest(bytes, digest, 'blob');
        this.#blobs.set(digest, bytes);
        return { digest, size: bytes.byteLength };
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  async partialBytes(): Promise<number> {
    return [...this.#partials.values()].reduce((sum, { size }) => sum + size, 0);
  }

  async removePartials(olderThanMs: number): Promise<number> {
    let freed = 0;
    for (const [digest, partial] of this.#partials) {
      if (this.#receiving.has(digest) || Math.max(0, Date.now() - partial.changedAtMs) < olderThanMs) continue;
      this.#partials.delete(digest);
      freed += partial.size;
    }
    return freed;
  }

  /** Every blob. */
  async *list(): AsyncGenerator<BlobInfo, void, void> {
    for (const [digest, bytes] of this.#blobs) yield { digest, size: bytes.byteLength };
  }

  async remove(digest: Digest): Promise<void> {
    this.#blobs.delete(digest);
  }

  #get(digest: Digest): Uint8Array {
    const bytes = this.#blobs.get(digest);
    if (bytes === undefined) throw new EngineError('BLOB_NOT_FOUND', { digest });
    return bytes;
  }

  async #ingest(
    descriptor: Descriptor,
    source: BlobSource,
    report: (doneBytes: number) => void,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { digest, size } = descriptor;
    const present = this.#blobs.get(digest);
    if (present !== undefined) {
      if (present.byteLength === size) return report(size);
      const actualBytes = present.byteLength;
      throw new EngineError('SIZE_MISMATCH', { what: `blob ${digest}`, expectedBytes: size, actualBytes });
    }
    const partial = this.#partials.get(digest) ?? new MemoryPartial();
    this.#partials.set(digest, partial);
    this.#receiving.add(digest);
    try {
      await receiveBlob(descriptor, source, partial, { signal, report });
    } catch (error) {
      if (isWrongContent(error)) this.#partials.delete(digest);
      throw error;
    } finally {
      this.#receiving.delete(digest);
    }
    this.#blobs.set(digest, partial.bytes());
    this.#partials.delete(digest);
  }
}

class MemoryPartial implements PartialBlob {
  #chunks: Uint8Array[] = [];
  size = 0;
  changedAtMs = Date.now();

  bytes(): Uint8Array {
    return Buffer.concat(this.#chunks, this.size);
  }

  async *read(): AsyncGenerator<Uint8Array, void, void> {
    yield* this.#chunks;
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#chunks.push(Uint8Array.from(bytes));
    this.size += bytes.byteLength;
    this.changedAtMs = Date.now();
  }

  async clear(): Promise<void> {
    this.#chunks = [];
    this.size = 0;
  }
}

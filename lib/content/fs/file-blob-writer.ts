import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { type Digest, splitDigest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { onFile } from '../../util/file-error.js';
import type { FileLock } from '../../util/file-lock.js';
import type { BlobInfo, BlobWriter } from '../content-store.js';
import { slices } from '../receive-blob.js';
import { readChunks } from './read-chunks.js';
import { writeFully } from './write-fully.js';

/** A {@link BlobWriter} on a temporary file that this process has locked. */
export class FileBlobWriter implements BlobWriter {
  readonly #lock: FileLock;
  readonly #path: string;
  readonly #publish: (digest: Digest) => Promise<void>;
  readonly #hash = createHash('sha256');
  #size = 0;
  #ended = false;

  /** @param publish gives the file the name of its content. */
  constructor(lock: FileLock, path: string, publish: (digest: Digest) => Promise<void>) {
    this.#lock = lock;
    this.#path = path;
    this.#publish = publish;
  }

  get size(): number {
    return this.#size;
  }

  /** Of what is here now, by sha256. */
  get digest(): Digest {
    return `sha256:${this.#hash.copy().digest('hex')}` as Digest;
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (const slice of slices(bytes)) {
      await writeFully(this.#lock.file, slice, this.#path);
      this.#hash.update(slice);
      this.#size += slice.byteLength;
    }
  }

  async commit(digest: Digest): Promise<BlobInfo> {
    const actual = await this.#digestBy(splitDigest(digest)[0]);
    if (actual !== digest) throw new EngineError('DIGEST_MISMATCH', { what: 'blob', expected: digest, actual });
    await this.#publish(digest);
    this.#ended = true;
    await this.#lock.release();
    return { digest, size: this.#size };
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    try {
      await onFile(this.#path, () => rm(this.#path, { force: true }));
    } finally {
      await this.#lock.release();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Another algorithm than the usual one is known only at the end: what was written is read again. */
  async #digestBy(algorithm: 'sha256' | 'sha512'): Promise<Digest> {
    if (algorithm === 'sha256') return this.digest;
    const hash = createHash(algorithm);
    for await (const chunk of readChunks(this.#lock.file, this.#path)) hash.update(chunk);
    return `${algorithm}:${hash.digest('hex')}` as Digest;
  }
}

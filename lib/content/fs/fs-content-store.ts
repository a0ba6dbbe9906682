import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Abortable } from '../../core/abortable.js';
import type { Descriptor } from '../../core/descriptor.js';
import { type Digest, isDigest, splitDigest } from '../../core/digest.js';
import { attachCleanupErrors } from '../../core/errors/attach-cleanup-errors.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { abortableIterable } from '../../util/abortable-iterable.js';
import { syncDirectory } from '../../util/atomic-file.js';
import { isMissing, onFile } from '../../util/file-error.js';
import { acquireFileLock, type FileLock, type FileLocker } from '../../util/file-lock.js';
import type { BlobInfo, BlobSource, BlobWriter, ContentStore, IngestOptions, ReadOptions } from '../content-store.js';
import { isWrongContent, receiveBlob, slices } from '../receive-blob.js';
import { SharedIngests } from '../shared-ingests.js';
import { BlobPaths } from './blob-paths.js';
import { FileBlobWriter } from './file-blob-writer.js';
import { FilePartial } from './file-partial.js';
import { IngestDirectory, temporaryPrefix } from './ingest-directory.js';
import { namesIn } from './names-in.js';
import { readChunks } from './read-chunks.js';

/** An interrupted pull that nobody has repeated for so long is not going to be. */
const partialsLastMs = 7 * 24 * 60 * 60 * 1000;

/**
 * Blobs in files: `blobs/sha256/HEX` below `root`, partial ones in `ingest/`.
 *
 * A partial file is locked by the process that writes it; when the blob is complete and verified, the file is synced
 * and renamed to its place. So a crash at any moment leaves a whole blob or a partial file that the next ingest
 * continues, after it has hashed it again.
 */
export class FsContentStore implements ContentStore {
  readonly #paths: BlobPaths;
  readonly #locker: FileLocker;
  readonly #ingests = new SharedIngests();
  readonly #ingestDirectory: IngestDirectory;

  /** @param root is made on the first write, mode 0700. */
  constructor(root: string, locker: FileLocker) {
    this.#paths = new BlobPaths(root);
    this.#locker = locker;
    this.#ingestDirectory = new IngestDirectory(this.#paths.ingest, locker);
  }

  async stat(digest: Digest): Promise<BlobInfo | undefined> {
    const path = this.#paths.blob(digest);
    try {
      return { digest, size: (await stat(path)).size };
    } catch (error) {
      if (isMissing(error)) return undefined;
      return onFile(path, () => Promise.reject(error));
    }
  }

  async *read(digest: Digest, options: ReadOptions = {}): AsyncGenerator<Uint8Array, void, void> {
    options.signal?.throwIfAborted();
    const file = await this.#open(digest);
    try {
      for await (const chunk of readChunks(file, this.#paths.blob(digest), options)) {
        options.signal?.throwIfAborted();
        yield chunk;
      }
    } finally {
      await file.close();
    }
  }

  async file(digest: Digest): Promise<string> {
    if ((await this.stat(digest)) === undefined) throw new EngineError('BLOB_NOT_FOUND', { digest });
    return this.#paths.blob(digest);
  }

  async readBytes(digest: Digest, maxBytes: number): Promise<Uint8Array> {
    const file = await this.#open(digest);
    try {
      const path = this.#paths.blob(digest);
      const { size } = await onFile(path, () => file.stat());
      if (size > maxBytes) throw new EngineError('TOO_LARGE', { what: `blob ${digest}`, maxBytes });
      return await onFile(path, () => file.readFile());
    } finally {
      await file.close();
    }
  }

  async ingest(descriptor: Descriptor, source: BlobSource, options: IngestOptions = {}): Promise<void> {
    await this.#ingests.run(descriptor, options, (report) => this.#ingest(descriptor, source, report, options.signal));
  }

  async put(bytes: Uint8Array): Promise<BlobInfo> {
    return this.putStream(slicesOf(bytes));
  }

  async putStream(source: AsyncIterable<Uint8Array>, options: Abortable = {}): Promise<BlobInfo> {
    options.signal?.throwIfAborted();
    const writer = await this.#openWriter();
    try {
      for await (const chunk of abortableIterable(source, options.signal)) await writer.append(chunk);
      return await writer.commit(writer.digest);
    } finally {
      await writer.close();
    }
  }

  async write(): Promise<BlobWriter> {
    return this.#openWriter();
  }

  async *list(): AsyncGenerator<BlobInfo, void, void> {
    for (const algorithm of ['sha256', 'sha512']) {
      for (const name of await namesIn(this.#paths.algorithmDirectory(algorithm))) {
        const digest = `${algorithm}:${name}`;
        const info = isDigest(digest) ? await this.stat(digest) : undefined;
        if (info !== undefined) yield info;
      }
    }
  }

  async remove(digest: Digest): Promise<void> {
    const path = this.#paths.blob(digest);
    await onFile(path, () => rm(path, { force: true }));
  }

  partialBytes(): Promise<number> {
    return this.#ingestDirectory.partialBytes();
  }

  removePartials(olderThanMs: number): Promise<number> {
    return this.#ingestDirectory.removePartials(olderThanMs);
  }

  /**
   * Removes what `put` and `putStream` of processes that have ended left behind, and partial downloads to which nothing was
   * added for a week.
   */
  async sweep(): Promise<void> {
    await this.#ingestDirectory.removeTemporary();
    await this.removePartials(partialsLastMs);
  }

  async #openWriter(): Promise<FileBlobWriter> {
    await this.#makeDirectories('sha256');
    const path = join(this.#paths.ingest, `${temporaryPrefix}${process.pid}-${randomBytes(8).toString('hex')}`);
    const lock = await this.#lock(path);
    return new FileBlobWriter(lock, path, async (digest) => {
      if ((await this.stat(digest)) !== undefined) return onFile(path, () => rm(path));
      await this.#makeDirectories(splitDigest(digest)[0]);
      await this.#publish(lock.file, path, digest);
    });
  }

  async #ingest(
    descriptor: Descriptor,
    source: BlobSource,
    report: (doneBytes: number) => void,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { digest, size } = descriptor;
    if (await this.#isPresent(descriptor)) return report(size);
    await this.#makeDirectories(digest.slice(0, digest.indexOf(':')));
    const path = this.#paths.partial(digest);
    const lock = await this.#lock(path, signal);
    try {
      const partial = await FilePartial.of(lock.file, path);
      try {
        if (await this.#isPresent(descriptor)) {
          await rm(path); // another process was first, and the lock has made this file
          return report(size);
        }
        await receiveBlob(descriptor, source, partial, { signal, report });
        await this.#publish(lock.file, path, digest);
      } catch (error) {
        // A full disk needs its space back more than the next try needs the beginning of a blob.
        const useless = partial.size === 0 || isWrongContent(error) || EngineError.is(error, 'NO_SPACE');
        if (useless) await discard(path, error);
        throw error;
      }
    } finally {
      await lock.release();
    }
  }

  async #isPresent({ digest, size }: Descriptor): Promise<boolean> {
    const known = await this.stat(digest);
    if (known === undefined || known.size === size) return known !== undefined;
    throw new EngineError('SIZE_MISMATCH', {
      what: `blob ${digest}`,
      expectedBytes: size,
      actualBytes: known.size,
    });
  }

  /** Everything is on the disk before the name is. */
  async #publish(file: FileHandle, path: string, digest: Digest): Promise<void> {
    const target = this.#paths.blob(digest);
    await onFile(path, () => file.sync());
    await onFile(target, () => rename(path, target));
    await onFile(target, () => syncDirectory(dirname(target)));
  }

  async #lock(path: string, signal?: AbortSignal): Promise<FileLock> {
    return onFile(path, () => acquireFileLock(this.#locker, path, { signal }));
  }

  async #open(digest: Digest): Promise<FileHandle> {
    const path = this.#paths.blob(digest);
    try {
      return await open(path, 'r');
    } catch (error) {
      if (isMissing(error)) throw new EngineError('BLOB_NOT_FOUND', { digest });
      return onFile(path, () => Promise.reject(error));
    }
  }

  async #makeDirectories(algorithm: string): Promise<void> {
    for (const path of [this.#paths.ingest, this.#paths.algorithmDirectory(algorithm)]) {
      await onFile(path, () => makeDirectory(path));
    }
  }
}

/** The new directory and its new parents survive a power cut. */
async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let parent = dirname(path); parent.length >= dirname(first).length; parent = dirname(parent)) {
    await syncDirectory(parent);
    if (parent === dirname(parent)) return;
  }
}

/** Removes a file that has become useless through `reason`, which stays the error to throw. */
async function discard(path: string, reason: unknown): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (failure) {
    attachCleanupErrors(reason, [failure]);
  }
}

async function* slicesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield* slices(bytes);
}

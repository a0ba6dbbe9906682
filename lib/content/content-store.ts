import type { Abortable } from '../core/abortable.js';
import type { Descriptor } from '../core/descriptor.js';
import type { Digest } from '../core/digest.js';

/** A blob that is there. */
export interface BlobInfo {
  readonly digest: Digest;
  readonly size: number;
}

export interface IngestOptions extends Abortable {
  /** Called with the number of bytes present so far, at most every 100 ms and at the end. */
  readonly onProgress?: ((doneBytes: number) => void) | undefined;
}

export interface ReadOptions extends Abortable {
  /** Where to begin. Default 0; behind the end there is nothing. */
  readonly offset?: number | undefined;
  /** How many bytes at most. Default: all. */
  readonly length?: number | undefined;
  /**
   * The memory of each chunk may be used for the next one: for a reader that is done with a chunk before it asks for
   * more. Fresh memory for each chunk of a large blob keeps the garbage collector busy. Default false.
   */
  readonly reuseChunks?: boolean | undefined;
}

/** A blob on its way here, whose digest is told at the end. Not for several callers at once. */
export interface BlobWriter extends AsyncDisposable {
  /** Bytes that are here. */
  readonly size: number;
  /** Adds to what is here. */
  append(bytes: Uint8Array): Promise<void>;
  /**
   * Makes the blob present; the writer has ended. After a mismatch it has not: it can be closed, or appended to.
   *
   * @throws EngineError `DIGEST_MISMATCH`.
   */
  commit(digest: Digest): Promise<BlobInfo>;
  /** Throws away what is here, unless it was committed. Safe to call twice. */
  close(): Promise<void>;
}

/** Opens the wanted blob at or before `offset`; `offset` of the answer says where it begins. */
export type BlobSource = (
  offset: number,
) => Promise<{ readonly offset: number; readonly body: AsyncIterable<Uint8Array> }>;

/**
 * Verified, immutable blobs, addressed by digest.
 *
 * A blob is there entirely and correct, or it is not there. Several processes may use one store: the same digest is
 * downloaded once, and what a crashed process has downloaded is continued.
 */
export interface ContentStore {
  /** What is there of a digest; undefined when nothing is. */
  stat(digest: Digest): Promise<BlobInfo | undefined>;
  /** Each chunk belongs to the reader, unless it lets it be reused. @throws EngineError `BLOB_NOT_FOUND` at the first read. */
  read(digest: Digest, options?: ReadOptions): AsyncIterable<Uint8Array>;
  /** Path of a file with the blob, if the store has files. @throws EngineError `BLOB_NOT_FOUND`. */
  file(digest: Digest): Promise<string | undefined>;
  /** The whole blob. @throws EngineError `BLOB_NOT_FOUND`; `TOO_LARGE` above `maxBytes`. */
  readBytes(digest: Digest, maxBytes: number): Promise<Uint8Array>;
  /**
   * Makes a blob present; returns at once if it is. `source` is called with the number of bytes already here, again
   * after each interruption that it reports with `REGISTRY_UNREACHABLE`, as long as there is progress between two.
   *
   * @throws EngineError `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `NO_SPACE`, whatever `source` throws. Wrong content is
   * thrown away; a correct partial download is kept for the next try.
   */
  ingest(descriptor: Descriptor, source: BlobSource, options?: IngestOptions): Promise<void>;
  /** Stores bytes that are in memory. */
  put(bytes: Uint8Array): Promise<BlobInfo>;
  /** Stores a stream of unknown digest. */
  putStream(source: AsyncIterable<Uint8Array>, options?: Abortable): Promise<BlobInfo>;
  /** Begins a blob of unknown digest that comes bit by bit. Lost when the process ends. */
  write(): Promise<BlobWriter>;
  /** Bytes of partial downloads, of those that are under way, too. */
  partialBytes(): Promise<number>;
  /**
   * Removes partial downloads to which nothing was added for so long and which nobody is adding to now. Returns the bytes
   * that they had.
   */
  removePartials(olderThanMs: number): Promise<number>;
  /** Every blob. */
  list(): AsyncIterable<BlobInfo>;
  /** Removing what is not there is fine. */
  remove(digest: Digest): Promise<void>;
}

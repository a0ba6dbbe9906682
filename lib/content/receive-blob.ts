import { createHash, type Hash } from 'node:crypto';
import type { Descriptor } from '../core/descriptor.js';
import { type Digest, splitDigest } from '../core/digest.js';
import { EngineError } from '../core/errors/engine-error.js';
import { orAbort } from '../util/abort.js';
import { abortableIterable } from '../util/abortable-iterable.js';
import type { BlobSource } from './content-store.js';

/** The part of a blob that is here already. */
export interface PartialBlob {
  /** Bytes that are here. */
  readonly size: number;
  read(): AsyncIterable<Uint8Array>;
  append(bytes: Uint8Array): Promise<void>;
  clear(): Promise<void>;
}

export interface ReceiveOptions {
  readonly signal: AbortSignal | undefined;
  /** Called with the number of bytes present, often. */
  readonly report: (doneBytes: number) => void;
}

/** Hashing this much takes less than a millisecond; longer chunks are cut, so that the event loop goes on between. */
const sliceBytes = 256 * 1024;

/**
 * Fills `partial` until it is the blob of `descriptor`, and verifies it. Errors are those of `ContentStore.ingest`;
 * throwing wrong content away is left to the caller ({@link isWrongContent}).
 */
export async function receiveBlob(
  descriptor: Descriptor,
  source: BlobSource,
  partial: PartialBlob,
  options: ReceiveOptions,
): Promise<void> {
  if (partial.size > descriptor.size) await partial.clear();
  const kept = partial.size;
  try {
    await receive(descriptor, source, partial, options);
  } catch (error) {
    // What an earlier process has left may have been damaged by a power cut: it must not condemn the blob.
    if (kept === 0 || !isWrongContent(error)) throw error;
    await partial.clear();
    await receive(descriptor, source, partial, options);
  }
}

/** True when the bytes that came cannot become the blob. */
export function isWrongContent(error: unknown): boolean {
  return EngineError.is(error, 'DIGEST_MISMATCH') || EngineError.is(error, 'SIZE_MISMATCH');
}

/** `bytes` in pieces that can be hashed at once. */
export function* slices(bytes: Uint8Array): Generator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.byteLength; at += sliceBytes) yield bytes.subarray(at, at + sliceBytes);
}

async function receive(
  descriptor: Descriptor,
  source: BlobSource,
  partial: PartialBlob,
  options: ReceiveOptions,
): Promise<void> {
  const [algorithm] = splitDigest(descriptor.digest);
  const hash = createHash(algorithm);
  for await (const chunk of abortableIterable(partial.read(), options.signal)) hash.update(chunk);
  options.report(partial.size);
  while (partial.size < descriptor.size) {
    const before = partial.size;
    try {
      await receiveBody(descriptor, source, partial, hash, options);
    } catch (error) {
      if (!EngineError.is(error, 'REGISTRY_UNREACHABLE') || partial.size === before) throw error;
    }
  }
  const actual = `${algorithm}:${hash.digest('hex')}` as Digest;
  if (actual === descriptor.digest) return;
  throw new EngineError('DIGEST_MISMATCH', { what: nameOf(descriptor), expected: descriptor.digest, actual });
}

async function receiveBody(
  descriptor: Descriptor,
  source: BlobSource,
  partial: PartialBlob,
  hash: Hash,
  { signal, report }: ReceiveOptions,
): Promise<void> {
  const { offset, body } = await orAbort(source(partial.size), signal);
  let skip = partial.size - offset;
  if (skip < 0) throw new EngineError('INTERNAL', { what: `the source of ${descriptor.digest} begins too late` });
  for await (const chunk of abortableIterable(body, signal)) {
    const fresh = chunk.subarray(Math.min(skip, chunk.byteLength));
    skip -= chunk.byteLength - fresh.byteLength;
    if (partial.size + fresh.byteLength > descriptor.size) {
      throw wrongSize(descriptor, partial.size + fresh.byteLength);
    }
    for (const slice of slices(fresh)) {
      await partial.append(slice);
      hash.update(slice);
    }
    report(partial.size);
  }
  if (partial.size < descriptor.size) throw wrongSize(descriptor, partial.size);
}

function wrongSize(descriptor: Descriptor, actualBytes: number): EngineError {
  return new EngineError('SIZE_MISMATCH', {
    what: nameOf(descriptor),
    expectedBytes: descriptor.size,
    actualBytes,
  });
}

function nameOf({ digest }: Descriptor): string {
  return `blob ${digest}`;
}

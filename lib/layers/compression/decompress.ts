import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';
import { compressionOf } from './compression-of.js';
import { decompressZstd } from './decompress-zstd.js';

/** The bounds of a decompression. */
export interface DecompressOptions {
  /** What the stream is, for error messages: `layer sha256:…`. */
  readonly what: string;
  /** Default: `limits.layerBytes`. */
  readonly maxBytes?: number | undefined;
  /** Output per input beyond which a stream counts as a bomb. Default: `limits.decompressionRatio`. */
  readonly maxRatio?: number | undefined;
  /** Output up to which the ratio is not looked at: a short stream of zeros is honest. Default 256 MiB. */
  readonly ratioFreeBytes?: number | undefined;
}

/** Thrown (as `cause`) for a stream that its compression format does not allow. */
export class BadCompression extends Error {}

const outputChunkBytes = 128 * 1024;
const defaultRatioFreeBytes = 256 * 1024 * 1024;

/**
 * The uncompressed content of a plain, gzip or zstd stream, told apart by its first bytes.
 *
 * @throws EngineError `TOO_LARGE` when it is, or expands suspiciously; {@link BadCompression} when it is malformed or cut.
 * @see RFC 1952 (gzip, several members), RFC 8878 (zstd, several frames)
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  options: DecompressOptions,
): AsyncGenerator<Uint8Array> {
  const { maxBytes = limits.layerBytes, maxRatio = limits.decompressionRatio } = options;
  const { ratioFreeBytes = defaultRatioFreeBytes } = options;
  const input = { bytes: 0 };
  let outputBytes = 0;
  for await (const chunk of decode(counted(source, input))) {
    outputBytes += chunk.length;
    if (outputBytes > maxBytes) throw new EngineError('TOO_LARGE', { what: options.what, maxBytes });
    if (outputBytes > ratioFreeBytes && outputBytes > input.bytes * maxRatio) {
      throw new EngineError('TOO_LARGE', { what: `${options.what}, for its compressed size,`, maxBytes: outputBytes });
    }
    yield chunk;
  }
}

async function* counted(source: AsyncIterable<Uint8Array>, total: { bytes: number }): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    total.bytes += chunk.length;
    yield chunk;
  }
}

async function* decode(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  const { head, rest } = await peek(iterator, 4);
  try {
    const compression = compressionOf(head);
    if (compression === 'gzip') yield* gunzip(rest);
    else if (compression === 'zstd') yield* zstd(rest);
    else yield* rest;
  } finally {
    await iterator.return?.();
  }
}

/** The first bytes of a stream, and the whole stream. */
async function peek(
  iterator: AsyncIterator<Uint8Array>,
  size: number,
): Promise<{ head: Uint8Array; rest: AsyncGenerator<Uint8Array> }> {
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < size) {
    const { value, done } = await iterator.next();
    if (done) break;
    head = head.length === 0 ? value : Buffer.concat([head, value]);
  }
  async function* rest(): AsyncGenerator<Uint8Array> {
    if (head.length > 0) yield head;
    for (;;) {
      const { value, done } = await iterator.next();
      if (done) return;
      yield value;
    }
  }
  return { head, rest: rest() };
}

async function* gunzip(source: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const tracked = trackFailure(source);
  const output = createGunzip({ chunkSize: outputChunkBytes });
  pipeline(
    Readable.from(tracked.source, { objectMode: false, highWaterMark: outputChunkBytes }),
    output,
    () => undefined,
  );
  try {
    yield* output;
  } catch (error) {
    throw tracked.failure() ?? new BadCompression(`bad gzip stream: ${messageOf(error)}`, { cause: error });
  }
}

async function* zstd(source: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const tracked = trackFailure(source);
  const decoded = decompressZstd(tracked.source);
  try {
    for (;;) {
      const { value, done } = await decoded.next().catch((error: unknown) => {
        throw tracked.failure() ?? new BadCompression(`bad zstd stream: ${messageOf(error)}`, { cause: error });
      });
      if (done) return;
      yield value;
    }
  } finally {
    await decoded.return(undefined);
  }
}

/** Tells a failure of the source from one of the decoder that reads it. */
function trackFailure(source: AsyncGenerator<Uint8Array>): {
  readonly source: AsyncGenerator<Uint8Array>;
  failure(): unknown;
} {
  let failure: unknown;
  async function* tracked(): AsyncGenerator<Uint8Array> {
    try {
      yield* source;
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  return { source: tracked(), failure: () => failure };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

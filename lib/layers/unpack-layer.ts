import { createHash } from 'node:crypto';
import type { Abortable } from '../core/abortable.js';
import { splitDigest } from '../core/digest.js';
import { EngineError } from '../core/errors/engine-error.js';
import { BadCompression, type DecompressOptions, decompress } from './compression/decompress.js';
import type { LayerSource } from './layer-store.js';
import type { LayerShim } from './shim/layer-shim.js';
import type { ShimReport } from './shim/shim-report.js';

export interface UnpackLayerOptions extends Abortable, Omit<DecompressOptions, 'what'> {
  readonly whiteouts: 'overlay' | 'names' | 'index';
}

/**
 * Unpacks one layer into the empty `directory`: decompresses it, verifies its diffID, and lets the shim write it. The
 * caller removes the directory after a failure.
 *
 * @throws EngineError `INVALID_LAYER`, `DIGEST_MISMATCH`, `TOO_LARGE`, `NO_SPACE`, `SYSTEM_CALL_FAILED`; whatever the
 * source throws; the reason of `signal`.
 */
export async function unpackLayer(
  shim: LayerShim,
  source: LayerSource,
  directory: string,
  options: UnpackLayerOptions,
): Promise<ShimReport> {
  const { diffId } = source;
  const [algorithm] = splitDigest(diffId);
  const hash = createHash(algorithm);
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of decompress(source.open(), { ...options, what: `layer ${diffId}` })) {
      hash.update(chunk);
      yield chunk;
    }
  }
  const report = await shim
    .unpack(hashed(), directory, { layer: diffId, whiteouts: options.whiteouts, signal: options.signal })
    .catch((error: unknown) => {
      if (!(error instanceof BadCompression)) throw error;
      throw new EngineError('INVALID_LAYER', { diffId, entry: '', reason: error.message }, { cause: error });
    });
  const actual = `${algorithm}:${hash.digest('hex')}`;
  if (actual !== diffId) throw new EngineError('DIGEST_MISMATCH', { what: 'layer', expected: diffId, actual });
  return report;
}

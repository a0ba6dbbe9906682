import { isUtf8 } from 'node:buffer';
import { assertFewValues } from './assert-few-values.js';
import { type Decoder, decodeJson } from './decode.js';
import { EngineError } from './errors/engine-error.js';

/**
 * Decodes a JSON document that came with an image.
 *
 * @throws EngineError `INVALID_MANIFEST` naming `what` and the path inside the document.
 */
export function decodeDocument<T>(bytes: Uint8Array, decoder: Decoder<T>, what: string): T {
  assertFewValues(bytes, what);
  if (!isUtf8(bytes)) throw new EngineError('INVALID_MANIFEST', { what, reason: 'it is not UTF-8' });
  const json = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  try {
    return decodeJson(json, decoder, 'document');
  } catch (error) {
    if (!EngineError.is(error, 'CORRUPT_RECORD')) throw error;
    const reason = `${error.data.path.slice(0, 200)}: expected ${error.data.expected}`;
    throw new EngineError('INVALID_MANIFEST', { what, reason });
  }
}

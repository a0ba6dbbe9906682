import { EngineError } from './errors/engine-error.js';
import { limits } from './limits.js';

const [quote, backslash, comma, colon, brace, bracket] = [0x22, 0x5c, 0x2c, 0x3a, 0x7b, 0x5b];

/**
 * Refuses JSON with more values than any honest document has, before JSON.parse makes an object of each: millions of
 * them would hold up the event loop for a second.
 *
 * @throws EngineError `INVALID_MANIFEST` naming `what`.
 */
export function assertFewValues(json: Uint8Array, what: string): void {
  let values = 0;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === quote) at = endOfString(json, at + 1);
    else if (byte === comma || byte === colon || byte === brace || byte === bracket) values += 1;
    if (values > limits.documentValues) {
      throw new EngineError('INVALID_MANIFEST', { what, reason: `it has more than ${limits.documentValues} values` });
    }
  }
}

/** Where the closing quote is; the end when there is none, which JSON.parse will tell. */
function endOfString(json: Uint8Array, from: number): number {
  for (let at = json.indexOf(quote, from); at !== -1; at = json.indexOf(quote, at + 1)) {
    let backslashes = 0;
    while (at - 1 - backslashes >= from && json[at - 1 - backslashes] === backslash) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return json.length;
}

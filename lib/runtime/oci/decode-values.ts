import type { Decoder } from '../../core/decode.js';
import { integer, text } from '../../core/decode.js';
import { EngineError } from '../../core/errors/engine-error.js';

/** Small decoders that only configurations of the OCI runtime-spec need. */

const fail = (path: string, expected: string): never => {
  throw new EngineError('CORRUPT_RECORD', { path, expected });
};

/** A whole number from 0 to 2^32 - 1. */
export const unsigned32: Decoder<number> = (value, path) => {
  const number = integer(value, path);
  return number >= 0 && number <= 0xffff_ffff ? number : fail(path, 'a whole number from 0 to 4294967295');
};

/** A user or group id: one less, since 2^32 - 1 means "unchanged" to the kernel. */
export const numericId: Decoder<number> = (value, path) => {
  const number = unsigned32(value, path);
  return number < 0xffff_ffff ? number : fail(path, 'an id from 0 to 4294967294');
};

/** A whole number from -2^63 to 2^64 - 1. */
export const wide: Decoder<bigint> = (value, path) => {
  const fits = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
  if (!fits) return fail(path, 'a whole number');
  const wanted = BigInt(value);
  return wanted >= -(2n ** 63n) && wanted < 2n ** 64n ? wanted : fail(path, 'a whole number of 64 bits');
};

/** Text that a system call can take. */
export const cText: Decoder<string> = (value, path) => {
  const found = text(value, path);
  return found.includes('\0') ? fail(path, 'a string without a NUL character') : found;
};

export const absolutePath: Decoder<string> = (value, path) => {
  const found = cText(value, path);
  return found.startsWith('/') ? found : fail(path, 'an absolute path');
};

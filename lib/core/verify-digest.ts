import { createHash } from 'node:crypto';
import { type Digest, splitDigest } from './digest.js';
import { EngineError } from './errors/engine-error.js';

/** @throws EngineError `DIGEST_MISMATCH` naming `what`, unless `bytes` have the digest `expected`. */
export function verifyDigest(bytes: Uint8Array, expected: Digest, what: string): void {
  const [algorithm] = splitDigest(expected);
  const actual = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
  if (actual !== expected) throw new EngineError('DIGEST_MISMATCH', { what, expected, actual });
}

import { createHash } from 'node:crypto';
import { EngineError } from './errors/engine-error.js';

declare const digestBrand: unique symbol;

/** `sha256:` or `sha512:` and lower-case hex. @see OCI image-spec, descriptor.md, "Digests" */
export type Digest = string & { readonly [digestBrand]: true };

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** @throws EngineError `INVALID_OPTION` when `text` is no digest. */
export function parseDigest(text: string, option = 'digest'): Digest {
  if (!isDigest(text)) {
    throw new EngineError('INVALID_OPTION', {
      option,
      expected: 'sha256:<64 hex digits> or sha512:<128 hex digits>',
      got: text.slice(0, 200),
    });
  }
  return text;
}

/** True when `text` is a digest of a supported algorithm. */
export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** The algorithm and the hex part: `['sha256', 'ab…']`. */
export function splitDigest(digest: Digest): [algorithm: 'sha256' | 'sha512', hex: string] {
  const colon = digest.indexOf(':');
  return [digest.slice(0, colon) as 'sha256' | 'sha512', digest.slice(colon + 1)];
}

/** The sha256 digest of `data`. */
export function digestOf(data: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(data).digest('hex')}` as Digest;
}

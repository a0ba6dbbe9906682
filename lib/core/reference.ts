import type { Digest } from './digest.js';

/**
 * A parsed image reference, normalised as Docker does it: `debian` is `docker.io/library/debian:latest`.
 *
 * @see distribution/reference grammar; OCI distribution-spec, "Pulling manifests"
 */
export interface Reference {
  /** Registry host, with port if any: `docker.io`, `localhost:5000`. */
  readonly registry: string;
  /** Repository path: `library/debian`. */
  readonly repository: string;
  /** Present unless the reference has only a digest. */
  readonly tag?: string;
  readonly digest?: Digest;
}

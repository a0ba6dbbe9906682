import { join } from 'node:path';
import { type Digest, isDigest, splitDigest } from '../../core/digest.js';

/** Where a content store keeps what, below its root. */
export class BlobPaths {
  readonly blobs: string;
  /** What is not complete yet. Same file system as `blobs`: complete is a rename. */
  readonly ingest: string;

  constructor(readonly root: string) {
    this.blobs = join(root, 'blobs');
    this.ingest = join(root, 'ingest');
  }

  algorithmDirectory(algorithm: string): string {
    return join(this.blobs, algorithm);
  }

  blob(digest: Digest): string {
    const [algorithm, hex] = splitDigest(checked(digest));
    return join(this.blobs, algorithm, hex);
  }

  partial(digest: Digest): string {
    return join(this.ingest, checked(digest).replace(':', '-'));
  }
}

/** The type says so already, but a path is made of it. */
function checked(digest: Digest): Digest {
  if (isDigest(digest)) return digest;
  throw new TypeError('not a digest');
}

import { type Digest, isDigest } from '../../core/digest.js';
import { isRepositoryName, isTag } from '../../core/reference.js';
import { RegistryFailure } from './registry-failure.js';

/** What a request is about. Everything in it has been checked against the grammar. */
export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'token' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: Digest }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: Digest };

const uploadId = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Reads a path (without query) as an endpoint of the specification.
 *
 * @throws RegistryFailure for what is none, and for names, tags and digests that are none.
 */
export function parseRoute(path: string): Route {
  const plain = decodePath(path);
  if (plain === '/v2' || plain === '/v2/') return { kind: 'base' };
  if (plain === '/token') return { kind: 'token' };
  if (plain === '/v2/_catalog') return { kind: 'catalog' };
  const match =
    /^\/v2\/(.+?)\/(?:(tags\/list)|(manifests|referrers)\/([^/]+)|blobs\/(?:(uploads)(?:\/([^/]*))?|([^/]+)))$/s.exec(
      plain,
    );
  if (match === null) throw new RegistryFailure(404, 'UNSUPPORTED', 'there is nothing at this path');
  const [, name = '', tags, kind, reference = '', uploads, id = '', digest = ''] = match;
  const repository = checkName(name);
  if (tags !== undefined) return { kind: 'tags', repository };
  if (kind === 'manifests') return { kind: 'manifest', repository, reference: checkReference(reference) };
  if (kind === 'referrers') return { kind: 'referrers', repository, digest: checkDigest(reference) };
  if (uploads === undefined) return { kind: 'blob', repository, digest: checkDigest(digest) };
  if (id === '') return { kind: 'uploads', repository };
  if (!uploadId.test(id)) throw new RegistryFailure(404, 'BLOB_UPLOAD_UNKNOWN', 'there is no such upload');
  return { kind: 'upload', repository, id };
}

/** @throws RegistryFailure `DIGEST_INVALID`. */
export function checkDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new RegistryFailure(400, 'DIGEST_INVALID', 'a digest must be sha256 or sha512 in lower-case hex');
}

/** @throws RegistryFailure `TAG_INVALID`. */
export function checkTag(text: string): string {
  if (isTag(text)) return text;
  throw new RegistryFailure(400, 'TAG_INVALID', 'a tag has 1 to 128 letters, digits, _, . or -');
}

/** @throws RegistryFailure `NAME_INVALID`. */
export function checkName(text: string): string {
  if (isRepositoryName(text)) return text;
  throw new RegistryFailure(400, 'NAME_INVALID', 'this is not the name of a repository');
}

function checkReference(text: string): string {
  return text.includes(':') ? checkDigest(text) : checkTag(text);
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new RegistryFailure(400, 'NAME_INVALID', 'the path is not encoded as it must be');
  }
}

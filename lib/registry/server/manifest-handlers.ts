import { createHash } from 'node:crypto';
import type { Descriptor } from '../../core/descriptor.js';
import { type Digest, splitDigest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';
import { decodeManifestOrIndex, type ImageIndex, type ImageManifest } from '../../core/manifest.js';
import { isIndexType, isManifestType, isNondistributableType } from '../../core/media-types.js';
import { type Exchange, type RegistryContext, send } from './exchange.js';
import { readBody } from './read-body.js';
import { RegistryFailure } from './registry-failure.js';
import { checkTag } from './route.js';

/** Tags in one request: more make no sense. */
const maxTags = 64;

/** GET and HEAD of a manifest or index. */
export async function getManifest(
  { storage }: RegistryContext,
  exchange: Exchange,
  repository: string,
  reference: string,
): Promise<void> {
  const found = await storage.getManifest(repository, reference);
  if (found === undefined)
    throw new RegistryFailure(404, 'MANIFEST_UNKNOWN', 'the repository does not have this manifest');
  const { mediaType, digest, size } = found.descriptor;
  const headers = {
    'content-type': mediaType,
    'content-length': String(size),
    'docker-content-digest': digest,
    etag: `"${digest}"`,
  };
  send(exchange, 200, headers, exchange.method === 'HEAD' ? '' : found.bytes);
}

/** PUT of a manifest or index, by tag or by digest with tags beside it. */
export async function putManifest(
  context: RegistryContext,
  exchange: Exchange,
  repository: string,
  reference: string,
): Promise<void> {
  const { request, query, signal } = exchange;
  const isByDigest = reference.includes(':');
  const tags = isByDigest ? [...new Set(query.getAll('tag').map(checkTag))] : [reference];
  if (tags.length > maxTags) throw new RegistryFailure(414, 'TAG_INVALID', `at most ${maxTags} tags at once`);
  const bytes = await readBody(request, limits.manifestBytes);
  const algorithm = isByDigest ? splitDigest(reference as Digest)[0] : 'sha256';
  const digest = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
  if (isByDigest && digest !== reference) {
    throw new RegistryFailure(400, 'DIGEST_INVALID', 'the manifest has another digest');
  }
  const document = decode(bytes, request.headers['content-type']);
  await checkReferences(context, repository, document);
  const descriptor = { mediaType: document.mediaType, digest, size: bytes.byteLength };
  await store(context, repository, { descriptor, bytes }, tags, signal);
  send(exchange, 201, {
    location: `/v2/${repository}/manifests/${isByDigest ? digest : reference}`,
    'docker-content-digest': digest,
    ...(document.subject !== undefined && { 'oci-subject': document.subject.digest }),
    ...(isByDigest && tags.length > 0 && { 'oci-tag': tags.join(', ') }),
  });
}

/** DELETE of a manifest with its tags, or of a tag. */
export async function deleteManifest(
  { storage }: RegistryContext,
  exchange: Exchange,
  repository: string,
  reference: string,
): Promise<void> {
  const deleted = reference.includes(':')
    ? await storage.deleteManifest(repository, reference as Digest)
    : await storage.deleteTag(repository, reference);
  if (!deleted) throw new RegistryFailure(404, 'MANIFEST_UNKNOWN', 'the repository does not have this manifest');
  send(exchange, 202);
}

function decode(bytes: Uint8Array, contentType: string | undefined): ImageManifest | ImageIndex {
  try {
    return decodeManifestOrIndex(bytes, contentType, 'manifest');
  } catch (error) {
    throw asInvalid(error);
  }
}

async function store(
  { storage }: RegistryContext,
  repository: string,
  manifest: { readonly descriptor: Descriptor; readonly bytes: Uint8Array },
  tags: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await storage.putManifest(repository, manifest, tags, { signal });
  } catch (error) {
    throw asInvalid(error);
  }
}

/** What the client has sent and cannot be taken is its failure; anything else is ours. */
function asInvalid(error: unknown): unknown {
  if (!EngineError.is(error) || (error.kind !== 'corrupt' && error.code !== 'UNSUPPORTED_MEDIA_TYPE')) return error;
  return new RegistryFailure(400, 'MANIFEST_INVALID', error.message);
}

/** What a manifest refers to must be in its repository: whoever pulls it looks for it there. */
async function checkReferences(
  { storage }: RegistryContext,
  repository: string,
  document: ImageManifest | ImageIndex,
): Promise<void> {
  const referred = document.kind === 'index' ? document.manifests : [document.config, ...document.layers];
  for (const { digest, mediaType, urls } of new Map(referred.map((each) => [each.digest, each])).values()) {
    if (isNondistributableType(mediaType) || (urls !== undefined && urls.length > 0)) continue;
    const isHere =
      isIndexType(mediaType) || isManifestType(mediaType)
        ? await storage.hasManifest(repository, digest)
        : (await storage.statBlob(repository, digest)) !== undefined;
    if (!isHere) throw new RegistryFailure(400, 'MANIFEST_BLOB_UNKNOWN', `the repository does not have ${digest}`);
  }
}

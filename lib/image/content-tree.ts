import type { ContentStore } from '../content/content-store.js';
import type { Descriptor } from '../core/descriptor.js';
import type { Digest } from '../core/digest.js';
import { EngineError } from '../core/errors/engine-error.js';
import { limits } from '../core/limits.js';
import { decodeManifestOrIndex, type ImageIndex, type ImageManifest } from '../core/manifest.js';
import { isIndexType, isManifestType } from '../core/media-types.js';
import type { FetchedManifest } from '../registry/registry-client.js';

/** A stored manifest or index, with those that it lists. */
export interface ContentTree {
  readonly fetched: FetchedManifest;
  readonly document: ImageManifest | ImageIndex;
  /** Manifests of an index that are here. */
  readonly children: readonly ContentTree[];
  /** What an index lists and is not here. */
  readonly missing: readonly Descriptor[];
}

/**
 * Reads what `digest` names from the store, and what that lists, indexes in indexes too.
 *
 * @throws EngineError `BLOB_NOT_FOUND` when the document itself is not here; `INVALID_MANIFEST`.
 */
export async function readContentTree(content: ContentStore, digest: Digest): Promise<ContentTree> {
  return read(content, digest, undefined, 0, { left: limits.indexEntries });
}

/** Its manifests, each once, those that others list before them: the order in which a registry takes them. */
export function manifestsOf(tree: ContentTree): readonly ContentTree[] {
  const found = new Map<Digest, ContentTree>();
  const visit = (each: ContentTree): void => {
    for (const child of each.children) visit(child);
    found.set(each.fetched.descriptor.digest, each);
  };
  visit(tree);
  return [...found.values()];
}

/** Configurations, layers, and entries of indexes that are no manifests; each digest once. */
export function blobsOf(tree: ContentTree): readonly Descriptor[] {
  const all = manifestsOf(tree).flatMap(({ document }) =>
    document.kind === 'manifest'
      ? [document.config, ...document.layers]
      : document.manifests.filter(({ mediaType }) => !isDocumentType(mediaType)),
  );
  return [...new Map(all.map((each) => [each.digest, each])).values()];
}

/** Every digest below and including the tree's own. */
export function digestsOf(tree: ContentTree): ReadonlySet<Digest> {
  return new Set([
    ...manifestsOf(tree).map(({ fetched }) => fetched.descriptor.digest),
    ...blobsOf(tree).map(({ digest }) => digest),
  ]);
}

/** True when everything that its indexes list is here. */
export function isComplete(tree: ContentTree): boolean {
  return tree.missing.length === 0 && tree.children.every(isComplete);
}

const isDocumentType = (mediaType: string): boolean => isIndexType(mediaType) || isManifestType(mediaType);

async function read(
  content: ContentStore,
  digest: Digest,
  mediaType: string | undefined,
  depth: number,
  budget: { left: number },
): Promise<ContentTree> {
  const what = `manifest ${digest}`;
  budget.left -= 1;
  if (budget.left < 0 || depth > limits.indexDepth) {
    throw new EngineError('INVALID_MANIFEST', { what, reason: 'its index is too deep or too wide' });
  }
  const bytes = await content.readBytes(digest, limits.manifestBytes);
  const document = decodeManifestOrIndex(bytes, mediaType, what);
  const fetched = { descriptor: { mediaType: document.mediaType, digest, size: bytes.byteLength }, bytes };
  if (document.kind === 'manifest') return { fetched, document, children: [], missing: [] };
  const children: ContentTree[] = [];
  const missing: Descriptor[] = [];
  for (const entry of document.manifests) {
    const isHere = (await content.stat(entry.digest)) !== undefined;
    if (!isHere) missing.push(entry);
    else if (isDocumentType(entry.mediaType)) {
      children.push(await read(content, entry.digest, entry.mediaType, depth + 1, budget));
    }
  }
  return { fetched, document, children, missing };
}

import type { ErrorTable } from './error-definition.js';

/** Errors of blobs, manifests, layers and the local image list. */
export interface ImageErrors {
  DIGEST_MISMATCH: { readonly what: string; readonly expected: string; readonly actual: string };
  SIZE_MISMATCH: { readonly what: string; readonly expectedBytes: number; readonly actualBytes: number };
  BLOB_NOT_FOUND: { readonly digest: string };
  INVALID_MANIFEST: { readonly what: string; readonly reason: string };
  UNSUPPORTED_MEDIA_TYPE: { readonly what: string; readonly mediaType: string };
  PLATFORM_NOT_FOUND: { readonly reference: string; readonly platform: string; readonly available: readonly string[] };
  INVALID_LAYER: { readonly diffId: string; readonly entry: string; readonly reason: string };
  LAYER_NOT_FOUND: { readonly diffId: string };
  /** It is unpacked instead. */
  LAYER_NOT_INDEXABLE: { readonly diffId: string; readonly reason: string };
  NO_SUCH_IMAGE: { readonly reference: string };
  AMBIGUOUS_IMAGE: { readonly reference: string; readonly matches: readonly string[] };
  IMAGE_IN_USE: { readonly reference: string; readonly containers: readonly string[] };
  IMAGE_HAS_NAMES: { readonly reference: string; readonly names: readonly string[] };
  /** An archive of images, or an OCI layout; `entry` is the member, empty for the whole. */
  INVALID_ARCHIVE: { readonly entry: string; readonly reason: string };
  HOST_PROGRAM_NOT_FOUND: { readonly program: string; readonly searched: string };
  HOST_LIBRARY_NOT_FOUND: { readonly library: string; readonly neededBy: string };
  HOST_FILE_UNUSABLE: { readonly path: string; readonly reason: string };
}

export const imageErrors: ErrorTable<ImageErrors> = {
  DIGEST_MISMATCH: { kind: 'corrupt', message: (d) => `${d.what}: expected digest ${d.expected}, got ${d.actual}` },
  SIZE_MISMATCH: {
    kind: 'corrupt',
    message: (d) => `${d.what}: expected ${d.expectedBytes} bytes, got ${d.actualBytes}`,
  },
  BLOB_NOT_FOUND: { kind: 'not-found', message: (d) => `no blob ${d.digest}` },
  INVALID_MANIFEST: { kind: 'corrupt', message: (d) => `${d.what}: ${d.reason}` },
  UNSUPPORTED_MEDIA_TYPE: {
    kind: 'unsupported',
    message: (d) => `${d.what}: media type ${d.mediaType} is not supported`,
  },
  PLATFORM_NOT_FOUND: {
    kind: 'not-found',
    message: (d) => `${d.reference} has no image for ${d.platform}, only for ${d.available.join(', ') || 'none'}`,
  },
  INVALID_LAYER: { kind: 'corrupt', message: (d) => `layer ${d.diffId}, entry '${d.entry}': ${d.reason}` },
  LAYER_NOT_INDEXABLE: { kind: 'unsupported', message: (d) => `layer ${d.diffId} cannot be indexed: ${d.reason}` },
  LAYER_NOT_FOUND: { kind: 'not-found', message: (d) => `layer ${d.diffId} is not unpacked here` },
  NO_SUCH_IMAGE: { kind: 'not-found', message: (d) => `no such image: ${d.reference}` },
  AMBIGUOUS_IMAGE: {
    kind: 'invalid',
    message: (d) => `'${d.reference}' means several images: ${d.matches.join(', ')}`,
  },
  IMAGE_IN_USE: { kind: 'conflict', message: (d) => `${d.reference} is used by ${d.containers.join(', ')}` },
  IMAGE_HAS_NAMES: { kind: 'conflict', message: (d) => `${d.reference} has several names: ${d.names.join(', ')}` },
  INVALID_ARCHIVE: {
    kind: 'corrupt',
    message: (d) => `${d.entry === '' ? 'archive' : `archive, '${d.entry}'`}: ${d.reason}`,
  },
  HOST_PROGRAM_NOT_FOUND: { kind: 'not-found', message: (d) => `host program '${d.program}' is not in ${d.searched}` },
  HOST_LIBRARY_NOT_FOUND: {
    kind: 'not-found',
    message: (d) => `${d.neededBy} needs the shared library ${d.library}, which is not on this host`,
  },
  HOST_FILE_UNUSABLE: { kind: 'invalid', message: (d) => `host file ${d.path} cannot be packed: ${d.reason}` },
};

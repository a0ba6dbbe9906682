import { type Decoder, integer, listOf, mapOf, optional, record, text } from './decode.js';
import { decodeDocument } from './decode-document.js';
import type { Descriptor } from './descriptor.js';
import { type Digest, isDigest } from './digest.js';
import { EngineError } from './errors/engine-error.js';
import { limits } from './limits.js';
import {
  isImageConfigType,
  isIndexType,
  isLayerType,
  isManifestType,
  isSchema1Type,
  mediaTypes,
} from './media-types.js';
import type { Platform } from './platform.js';

/** The manifest of one image. @see OCI image-spec, manifest.md */
export interface ImageManifest {
  readonly kind: 'manifest';
  readonly mediaType: string;
  readonly config: Descriptor;
  /** Lowest layer first. */
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** What it holds, when that is no image. */
  readonly artifactType?: string;
  /** The manifest that this one belongs to: a signature, say, to an image. */
  readonly subject?: Descriptor;
}

/** A list of manifests, usually one for each platform. @see OCI image-spec, image-index.md */
export interface ImageIndex {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  readonly subject?: Descriptor;
}

/**
 * Decodes a manifest or an index, whichever it is.
 *
 * A document that could be read as both, or that says to be something else than `contentType`, is refused: two readers
 * must never see two different images under one digest.
 *
 * @param contentType what the transport said (a descriptor's media type, a Content-Type header), if anything.
 * @param what names the document in errors.
 * @throws EngineError `INVALID_MANIFEST`, `UNSUPPORTED_MEDIA_TYPE` (schema 1, artifacts), `TOO_LARGE`.
 */
export function decodeManifestOrIndex(
  bytes: Uint8Array,
  contentType: string | undefined,
  what: string,
): ImageManifest | ImageIndex {
  if (bytes.byteLength > limits.manifestBytes) {
    throw new EngineError('TOO_LARGE', { what, maxBytes: limits.manifestBytes });
  }
  return decodeDocument(bytes, (value, path) => decodeEither(value, path, contentType, what), what);
}

/** Decodes the manifest of one image; an index is refused. Otherwise as {@link decodeManifestOrIndex}. */
export function decodeManifest(bytes: Uint8Array, contentType: string | undefined, what: string): ImageManifest {
  const document = decodeManifestOrIndex(bytes, contentType, what);
  if (document.kind === 'manifest') return document;
  throw new EngineError('INVALID_MANIFEST', { what, reason: 'it is an index, expected a manifest' });
}

/** Decodes an index; a manifest is refused. Otherwise as {@link decodeManifestOrIndex}. */
export function decodeIndex(bytes: Uint8Array, contentType: string | undefined, what: string): ImageIndex {
  const document = decodeManifestOrIndex(bytes, contentType, what);
  if (document.kind === 'index') return document;
  throw new EngineError('INVALID_MANIFEST', { what, reason: 'it is a manifest, expected an index' });
}

/**
 * Refuses what is no container image (charts, signatures and other artifacts use the same manifest).
 *
 * @throws EngineError `UNSUPPORTED_MEDIA_TYPE`.
 */
export function requireImage(manifest: ImageManifest, what: string): void {
  if (!isImageConfigType(manifest.config.mediaType)) {
    throw new EngineError('UNSUPPORTED_MEDIA_TYPE', { what: `${what}, config`, mediaType: manifest.config.mediaType });
  }
  for (const [index, layer] of manifest.layers.entries()) {
    if (isLayerType(layer.mediaType)) continue;
    throw new EngineError('UNSUPPORTED_MEDIA_TYPE', { what: `${what}, layer ${index}`, mediaType: layer.mediaType });
  }
}

function decodeEither(
  value: unknown,
  path: string,
  contentType: string | undefined,
  what: string,
): ImageManifest | ImageIndex {
  const document = envelope(value, path);
  const mediaType = mediaTypeOf(document, contentType, what);
  if (isIndexType(mediaType)) {
    forbid(document, ['config', 'layers', 'fsLayers'], 'index', what);
    return { kind: 'index', mediaType, ...indexBody(value, path) };
  }
  forbid(document, ['manifests', 'fsLayers'], 'manifest', what);
  const { layers = [], ...manifest } = manifestBody(value, path);
  return { kind: 'manifest', mediaType, ...manifest, layers };
}

const anything: Decoder<unknown> = optional((value) => value);

const envelope = record({
  schemaVersion: integer,
  mediaType: optional(text),
  config: anything,
  layers: anything,
  manifests: anything,
  fsLayers: anything,
});

type Envelope = ReturnType<typeof envelope>;

/** Short printable words: they end up in error messages and in file names. */
const word =
  (expected: string, pattern: RegExp): Decoder<string> =>
  (value, path) => {
    const decoded = text(value, path);
    if (!pattern.test(decoded)) throw new EngineError('CORRUPT_RECORD', { path, expected });
    return decoded;
  };

const mediaTypeText = word('a media type', /^[\x21-\x7e]{1,255}$/);
/** Some tools write an empty one. */
const artifactTypeText: Decoder<string | undefined> = (value, path) =>
  value === '' ? undefined : mediaTypeText(value, path);
const platformText = word('a platform name', /^[A-Za-z0-9._-]{0,64}$/);

const digest: Decoder<Digest> = (value, path) => {
  const decoded = text(value, path);
  if (!isDigest(decoded)) throw new EngineError('CORRUPT_RECORD', { path, expected: 'a sha256 or sha512 digest' });
  return decoded;
};

const size: Decoder<number> = (value, path) => {
  const decoded = integer(value, path);
  if (decoded < 0) throw new EngineError('CORRUPT_RECORD', { path, expected: 'a size in bytes' });
  return decoded;
};

const bounded =
  <T>(list: Decoder<readonly T[]>, most: number): Decoder<readonly T[]> =>
  (value, path) => {
    if (Array.isArray(value) && value.length > most) {
      throw new EngineError('CORRUPT_RECORD', { path, expected: `at most ${most} entries` });
    }
    return list(value, path);
  };

const platformFields = record({ os: platformText, architecture: platformText, variant: optional(platformText) });

const platform: Decoder<Platform> = (value, path) => {
  const { variant, ...rest } = platformFields(value, path);
  return variant === undefined || variant === '' ? rest : { ...rest, variant };
};

const descriptor: Decoder<Descriptor> = record({
  mediaType: mediaTypeText,
  digest,
  size,
  platform: optional(platform),
  annotations: optional(mapOf(text)),
  urls: optional(listOf(text)),
  artifactType: optional(artifactTypeText),
});

const manifestBody = record({
  config: descriptor,
  layers: optional(bounded(listOf(descriptor), limits.layers)),
  annotations: optional(mapOf(text)),
  artifactType: optional(artifactTypeText),
  subject: optional(descriptor),
});

const indexBody = record({
  manifests: bounded(listOf(descriptor), limits.indexEntries),
  annotations: optional(mapOf(text)),
  artifactType: optional(artifactTypeText),
  subject: optional(descriptor),
});

function mediaTypeOf(document: Envelope, contentType: string | undefined, what: string): string {
  const said = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  const schema1 = document.schemaVersion === 1 || [said, document.mediaType].some((type) => isSchema1Type(type ?? ''));
  if (schema1) {
    throw new EngineError('UNSUPPORTED_MEDIA_TYPE', {
      what: `${what} is of Docker's schema 1, which must be pushed again with a current tool`,
      mediaType: mediaTypes.dockerSchema1,
    });
  }
  if (document.schemaVersion !== 2) {
    throw new EngineError('INVALID_MANIFEST', { what, reason: `schema version ${document.schemaVersion} is unknown` });
  }
  if (said !== undefined && said !== '' && document.mediaType !== undefined && said !== document.mediaType) {
    const reason = `it came as ${said.slice(0, 200)} but says to be ${document.mediaType.slice(0, 200)}`;
    throw new EngineError('INVALID_MANIFEST', { what, reason });
  }
  const mediaType = document.mediaType ?? (said || typeFromShape(document));
  if (!isIndexType(mediaType) && !isManifestType(mediaType)) {
    throw new EngineError('UNSUPPORTED_MEDIA_TYPE', { what, mediaType: mediaType.slice(0, 200) });
  }
  return mediaType;
}

function typeFromShape(document: Envelope): string {
  return document.manifests === undefined ? mediaTypes.ociManifest : mediaTypes.ociIndex;
}

function forbid(
  document: Envelope,
  fields: readonly ('config' | 'layers' | 'manifests' | 'fsLayers')[],
  kind: string,
  what: string,
): void {
  const strange = fields.find((field) => document[field] !== undefined);
  if (strange === undefined) return;
  throw new EngineError('INVALID_MANIFEST', { what, reason: `it is of kind ${kind} and has '${strange}' as well` });
}

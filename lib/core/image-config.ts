import { bool, type Decoded, type Decoder, integer, listOf, mapOf, optional, record, text } from './decode.js';
import { decodeDocument } from './decode-document.js';
import type { Descriptor } from './descriptor.js';
import { type Digest, isDigest } from './digest.js';
import { EngineError } from './errors/engine-error.js';
import { limits } from './limits.js';
import type { ImageManifest } from './manifest.js';

/** The configuration of an image. Field names are those of the document. @see OCI image-spec, config.md */
export type ImageConfig = Decoded<typeof imageConfig>;

/** What containers of an image are started with, with the names of the document. @see OCI image-spec, config.md */
export interface ImageRunConfig {
  readonly User?: string;
  /** Keys like `80/tcp`. */
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  /** `KEY=value` */
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  /** Keys are absolute paths. */
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly Shell?: readonly string[];
  readonly Healthcheck?: ImageHealthcheck;
  /** Instructions of a Dockerfile for builds on top of the image. Docker's; not in the OCI specification. */
  readonly OnBuild?: readonly string[];
}

/** How Docker finds out whether a container of the image is well. Durations in nanoseconds. */
export interface ImageHealthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** A layer as stored, with the digest of what it unpacks from. */
export interface ImageLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/**
 * Decodes the configuration of an image; null counts as absent, unknown fields are dropped.
 *
 * @param what names the document in errors.
 * @throws EngineError `INVALID_MANIFEST`, `TOO_LARGE`.
 */
export function decodeImageConfig(bytes: Uint8Array, what: string): ImageConfig {
  if (bytes.byteLength > limits.configBytes) {
    throw new EngineError('TOO_LARGE', { what, maxBytes: limits.configBytes });
  }
  return decodeDocument(bytes, imageConfig, what);
}

/**
 * The layers of an image, lowest first, each with its diffID.
 *
 * @throws EngineError `INVALID_MANIFEST` when manifest and configuration do not agree on their number.
 */
export function pairLayers(manifest: ImageManifest, config: ImageConfig, what: string): readonly ImageLayer[] {
  const diffIds = config.rootfs.diff_ids ?? [];
  const pairs = manifest.layers.flatMap((descriptor, index) => {
    const diffId = diffIds[index];
    return diffId === undefined ? [] : [{ descriptor, diffId }];
  });
  if (pairs.length !== manifest.layers.length || pairs.length !== diffIds.length) {
    const reason = `it has ${manifest.layers.length} layers, its config ${diffIds.length}`;
    throw new EngineError('INVALID_MANIFEST', { what, reason });
  }
  return pairs;
}

/** Text that becomes an argument, a variable or a path of a process: execve(2) cannot carry a NUL. */
const argument: Decoder<string> = (value, path) => {
  const decoded = text(value, path);
  if (decoded.includes('\0')) throw new EngineError('CORRUPT_RECORD', { path, expected: 'text without NUL' });
  return decoded;
};

const diffId: Decoder<Digest> = (value, path) => {
  const decoded = text(value, path);
  if (!isDigest(decoded)) throw new EngineError('CORRUPT_RECORD', { path, expected: 'a sha256 or sha512 digest' });
  return decoded;
};

/** A Go set: only the keys count. */
const keys: Decoder<Readonly<Record<string, object>>> = mapOf(() => ({}));

const healthcheck: Decoder<ImageHealthcheck> = record({
  Test: optional(listOf(argument)),
  Interval: optional(integer),
  Timeout: optional(integer),
  StartPeriod: optional(integer),
  StartInterval: optional(integer),
  Retries: optional(integer),
});

const runConfig: Decoder<ImageRunConfig> = record({
  User: optional(argument),
  ExposedPorts: optional(keys),
  Env: optional(listOf(argument)),
  Entrypoint: optional(listOf(argument)),
  Cmd: optional(listOf(argument)),
  Volumes: optional(keys),
  WorkingDir: optional(argument),
  Labels: optional(mapOf(text)),
  StopSignal: optional(argument),
  Shell: optional(listOf(argument)),
  Healthcheck: optional(healthcheck),
  OnBuild: optional(listOf(text)),
});

const historyEntry = record({
  created: optional(text),
  created_by: optional(text),
  author: optional(text),
  comment: optional(text),
  empty_layer: optional(bool),
});

const imageConfig = record({
  architecture: text,
  os: text,
  variant: optional(text),
  created: optional(text),
  author: optional(text),
  config: optional(runConfig),
  rootfs: record({ diff_ids: optional(listOf(diffId)) }),
  history: optional(listOf(historyEntry)),
});

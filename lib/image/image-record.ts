import { type Decoded, type Decoder, decodeJson, integer, listOf, literal, record, text } from '../core/decode.js';
import { type Digest, isDigest } from '../core/digest.js';
import { EngineError } from '../core/errors/engine-error.js';
import { decodeImageConfig, type ImageConfig } from '../core/image-config.js';

const digest: Decoder<Digest> = (value, path) => {
  const decoded = text(value, path);
  if (!isDigest(decoded)) throw new EngineError('CORRUPT_RECORD', { path, expected: 'a digest' });
  return decoded;
};

const layer = record({ digest, size: integer, diffId: digest });

const imageRecord = record({
  version: literal(1),
  /** Canonical, with tag or digest: `docker.io/library/debian:12`. The id itself of an image that has no name. */
  name: text,
  /** What the name means at its registry: an index or a manifest. */
  target: digest,
  manifest: digest,
  /** Digest of the configuration: the image's id. */
  id: digest,
  /** The configuration itself, so that a start reads one file. */
  config: text,
  /** Lowest first. */
  layers: listOf(layer),
  /** When it was put here, ISO 8601. */
  storedAt: text,
});

/** What is known here of one named image. */
export type ImageRecord = Decoded<typeof imageRecord>;

/** @throws EngineError `CORRUPT_RECORD`, `UNKNOWN_VERSION`. */
export function decodeImageRecord(json: string, path: string): ImageRecord {
  const { version } = decodeJson(json, record({ version: integer }), path);
  if (version !== 1) throw new EngineError('UNKNOWN_VERSION', { path, version: String(version), supported: '1' });
  return decodeJson(json, imageRecord, path);
}

/** The configuration of a recorded image. */
export function configOf(image: ImageRecord): ImageConfig {
  return decodeImageConfig(Buffer.from(image.config), `config of ${image.name}`);
}

/** False for an image that has lost its last name, or never had one. No reference is an id, so the two cannot be confused. */
export const isNamed = (image: ImageRecord): boolean => image.name !== image.id;

/** The same image without a name. */
export const namelessOf = (image: ImageRecord): ImageRecord => ({ ...image, name: image.id });

/** DiffIDs, lowest first. */
export const stackOf = (image: ImageRecord): readonly Digest[] => image.layers.map((each) => each.diffId);

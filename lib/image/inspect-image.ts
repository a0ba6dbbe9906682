import { formatFamiliarReference, parseReference } from '../core/reference.js';
import { dateOf } from './date-of.js';
import { namesOf } from './image-group.js';
import { configOf, type ImageRecord, isNamed, stackOf } from './image-record.js';
import type { ImageServices } from './image-services.js';
import { type ImageStartConfig, imageStartConfig } from './image-start-config.js';

/** An image as plain data, in Docker's words. */
export interface ImageInspection {
  readonly id: string;
  /** Its names with tags: `debian:12`. */
  readonly repoTags: readonly string[];
  /** What its names are at their registries: `debian@sha256:…`. */
  readonly repoDigests: readonly string[];
  /** Digest of the manifest. */
  readonly manifest: string;
  /** When it was built, if it says so. */
  readonly created: Date | undefined;
  /** When it came here under the name that was asked for. */
  readonly storedAt: Date;
  readonly author: string;
  /** What the last step of its build says. */
  readonly comment: string;
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
  /** Bytes on disk of its unpacked layers. */
  readonly sizeBytes: number;
  /** Bytes of its layers as they are stored at a registry. */
  readonly compressedBytes: number;
  /** DiffIDs, lowest first. */
  readonly rootFs: { readonly type: 'layers'; readonly layers: readonly string[] };
  readonly config: ImageStartConfig;
}

/** @throws EngineError `NO_SUCH_IMAGE`, `AMBIGUOUS_IMAGE`, `LAYER_NOT_FOUND` when it is removed in this moment. */
export async function inspectImage(services: ImageServices, reference: string): Promise<ImageInspection> {
  const image = await services.images.resolve(reference);
  const config = configOf(image);
  const records = (await services.images.list()).filter((each) => each.id === image.id && isNamed(each));
  const { sizeBytes } = await services.layers.usage(stackOf(image));
  return {
    id: image.id,
    repoTags: (await namesOf(services, image.id)).filter((name) => !name.includes('@')),
    repoDigests: [...new Set(records.map(repoDigest))],
    manifest: image.manifest,
    created: dateOf(config.created),
    storedAt: new Date(image.storedAt),
    author: config.author ?? '',
    comment: config.history?.at(-1)?.comment ?? '',
    os: config.os,
    architecture: config.architecture,
    variant: config.variant ?? '',
    sizeBytes,
    compressedBytes: image.layers.reduce((sum, { size }) => sum + size, 0),
    rootFs: { type: 'layers', layers: stackOf(image) },
    config: imageStartConfig(config.config ?? {}),
  };
}

function repoDigest({ name, target }: ImageRecord): string {
  const { registry, repository } = parseReference(name);
  return formatFamiliarReference({ registry, repository, digest: target });
}

import { dateOf } from './date-of.js';
import { namesOf } from './image-group.js';
import { configOf, stackOf } from './image-record.js';
import type { ImageServices } from './image-services.js';

/** One step of an image's build. */
export interface ImageHistoryEntry {
  /** The image's id for its last step; the steps before have none here. */
  readonly id: string | undefined;
  readonly created: Date | undefined;
  /** The instruction, as far as the builder has written it down. */
  readonly createdBy: string;
  readonly author: string;
  readonly comment: string;
  /** DiffID of the layer that it has made; undefined when it has changed the configuration only. */
  readonly layer: string | undefined;
  /**
   * Bytes of that layer: unpacked where the layer store keeps single layers, else as they are stored at a registry.
   */
  readonly sizeBytes: number;
  /** Names of the image, for its last step. */
  readonly tags: readonly string[];
}

/**
 * How an image was built, the last step first. An image that tells nothing, or of other layers than it has, has one entry
 * for each layer.
 *
 * @throws EngineError `NO_SUCH_IMAGE`, `AMBIGUOUS_IMAGE`.
 * @see OCI image-spec, config.md, `history`
 */
export async function imageHistory(services: ImageServices, reference: string): Promise<readonly ImageHistoryEntry[]> {
  const image = await services.images.resolve(reference);
  const { history = [] } = configOf(image);
  const { parts } = await services.layers.usage(stackOf(image));
  const layers = image.layers.map(({ diffId, size }, index) => ({
    layer: diffId,
    sizeBytes: parts.length === image.layers.length ? (parts[index]?.sizeBytes ?? size) : size,
  }));
  const isTrue = history.filter((step) => step.empty_layer !== true).length === layers.length;
  const steps: typeof history = isTrue ? history : layers.map(() => ({}));
  let next = 0;
  const entries = steps.map((step) => ({
    id: undefined,
    created: dateOf(step.created),
    createdBy: step.created_by ?? '',
    author: step.author ?? '',
    comment: step.comment ?? '',
    ...(step.empty_layer === true ? nothing : (layers[next++] ?? nothing)),
    tags: [],
  }));
  const last = entries.pop();
  if (last === undefined) return [];
  const tags = await namesOf(services, image.id);
  return [...entries, { ...last, id: image.id, tags }].reverse();
}

const nothing = { layer: undefined, sizeBytes: 0 } as const;

import type { Abortable } from '../core/abortable.js';
import type { ImageRunConfig } from '../core/image-config.js';
import type { Platform } from '../core/platform.js';
import { dateOf } from './date-of.js';
import { familiarName } from './familiar-name.js';
import { configOf, type ImageRecord } from './image-record.js';
import type { PullOptions } from './pull-image.js';

/** Whatever has images: an engine. */
export interface ImageHost {
  readonly images: {
    /** Fetches an image. */
    pull(reference: string, options?: PullOptions): Promise<Image>;
  };
}

/** An image that is here and usable. Plain data: it does not change when its name is given to another. */
export class Image {
  readonly #record: ImageRecord;
  /** All its names, as Docker shows them, when this was read; none for an image that has lost its last one. */
  readonly names: readonly string[];

  /** @internal */
  constructor(record: ImageRecord, names: readonly string[]) {
    this.#record = record;
    this.names = names;
  }

  /** The same as `engine.images.pull(reference, options)`. */
  static pull(engine: ImageHost, reference: string, options?: PullOptions & Abortable): Promise<Image> {
    return engine.images.pull(reference, options);
  }

  /** Digest of its configuration. */
  get id(): string {
    return this.#record.id;
  }

  /** The name by which it was found, as Docker shows it (`debian:12`), else its first; its id when it has none. */
  get name(): string {
    return familiarName(this.#record);
  }

  /** What the name meant at its registry when it was pulled: digest of an index or a manifest. */
  get digest(): string {
    return this.#record.target;
  }

  /** Bytes of its layers as they are stored at a registry. */
  get compressedBytes(): number {
    return this.#record.layers.reduce((sum, layer) => sum + layer.size, 0);
  }

  /** DiffIDs, lowest first. @see OCI image-spec, config.md, "Layer DiffID" */
  get layers(): readonly string[] {
    return this.#record.layers.map((layer) => layer.diffId);
  }

  /** The machine that it is for. */
  get platform(): Platform {
    const { os, architecture, variant } = configOf(this.#record);
    return { os, architecture, ...(variant !== undefined && { variant }) };
  }

  /** What its containers are started with. @see OCI image-spec, config.md */
  get config(): ImageRunConfig {
    return configOf(this.#record).config ?? {};
  }

  /** Labels of its configuration. */
  get labels(): Readonly<Record<string, string>> {
    return this.config.Labels ?? {};
  }

  /** When it was built, if it says so. */
  get createdAt(): Date | undefined {
    return dateOf(configOf(this.#record).created);
  }
}

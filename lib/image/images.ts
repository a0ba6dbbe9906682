import type { OpenWork } from '../util/open-work.js';
import { Image } from './image.js';
import type { ImageServices } from './image-services.js';
import { type FromHostOptions, packHostImage } from './pack-host-image.js';
import { type PullOptions, pullImage } from './pull-image.js';
import { removeImage } from './remove-image.js';

/** The images of an engine: `engine.images`. */
export class Images {
  readonly #services: ImageServices;
  readonly #work: OpenWork;
  readonly #searchPath: string;

  /** @internal */
  constructor(services: ImageServices, work: OpenWork, searchPath: string) {
    this.#services = services;
    this.#work = work;
    this.#searchPath = searchPath;
  }

  /**
   * Fetches an image from its registry; resolves when it is usable. What is here already is not fetched again.
   *
   * @throws EngineError `INVALID_REFERENCE`, `IMAGE_NOT_FOUND`, `PLATFORM_NOT_FOUND`, `REGISTRY_DENIED`,
   * `REGISTRY_RATE_LIMITED`, `REGISTRY_UNREACHABLE`, `REGISTRY_FAILED`, `REGISTRY_PROTOCOL`, `DIGEST_MISMATCH`,
   * `INVALID_MANIFEST`, `INVALID_LAYER`, `TOO_LARGE`, `NO_SPACE`. An image of that name that was here before stays.
   */
  async pull(reference: string, options: PullOptions = {}): Promise<Image> {
    return this.#work.run(
      options.signal,
      async (signal) => new Image(await pullImage(this.#services, reference, { ...options, signal })),
    );
  }

  /** All images that have a name here, by name. */
  async list(): Promise<readonly Image[]> {
    this.#work.assertOpen();
    return (await this.#services.images.list()).map((record) => new Image(record));
  }

  /**
   * The image with a name, or with an id or the beginning of one.
   *
   * @throws EngineError `NO_SUCH_IMAGE`, `AMBIGUOUS_IMAGE`.
   */
  async get(reference: string): Promise<Image> {
    this.#work.assertOpen();
    return new Image(await this.#services.images.resolve(reference));
  }

  /**
   * Takes the name off an image, and with its last name everything that no other image and no container needs.
   *
   * @throws EngineError `NO_SUCH_IMAGE`, `AMBIGUOUS_IMAGE`, `IMAGE_IN_USE`.
   */
  async remove(reference: string): Promise<void> {
    await this.#work.run(undefined, () => removeImage(this.#services, reference));
  }

  /**
   * Makes an image from programs of the host and the shared libraries that they need: no registry, no download.
   *
   * @throws EngineError `HOST_PROGRAM_NOT_FOUND`, `HOST_LIBRARY_NOT_FOUND`, `HOST_FILE_UNUSABLE`, `INVALID_REFERENCE`.
   */
  async fromHost(options: FromHostOptions): Promise<Image> {
    return this.#work.run(
      options.signal,
      async (signal) => new Image(await packHostImage(this.#services, { ...options, signal }, this.#searchPath)),
    );
  }
}

import type { RegistrySearchResult } from '../registry/registry-client.js';
import type { OpenWork } from '../util/open-work.js';
import { Image } from './image.js';
import { type ImagesDiskUsage, imagesDiskUsage } from './image-disk-usage.js';
import { namesOf } from './image-group.js';
import { type ImageHistoryEntry, imageHistory } from './image-history.js';
import type { ImageRecord } from './image-record.js';
import type { ImageServices } from './image-services.js';
import { type ImportOptions, importImage } from './import-image.js';
import { type ImageInspection, inspectImage } from './inspect-image.js';
import { type ListImagesOptions, listImages } from './list-images.js';
import { type LoadOptions, type LoadSource, loadImages } from './load-images.js';
import { type FromHostOptions, packHostImage } from './pack-host-image.js';
import { type PrunedImages, type PruneImagesOptions, pruneImages } from './prune-images.js';
import { type PullOptions, pullImage } from './pull-image.js';
import { type PushOptions, type PushResult, pushImage } from './push-image.js';
import { type RemovedImage, type RemoveImageOptions, removeImage } from './remove-image.js';
import { type SaveOptions, type SaveTarget, saveImages } from './save-images.js';
import { type SearchOptions, searchImages } from './search-images.js';
import { tagImage } from './tag-image.js';
import { untagImage } from './untag-image.js';

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
    return this.#work.run(options.signal, async (signal) =>
      this.#toImage(await pullImage(this.#services, reference, { ...options, signal })),
    );
  }

  /**
   * Sends an image to the registry in its name (give it one by {@link Images.tag}). Blobs go as they are stored here, and
   * only those that are not there; of those that another repository of the registry has, nothing is sent either.
   *
   * @throws EngineError `NO_SUCH_IMAGE`, `AMBIGUOUS_IMAGE`, `PLATFORM_NOT_FOUND`, `BLOB_NOT_FOUND`, `REGISTRY_DENIED`,
   * `REGISTRY_RATE_LIMITED`, `REGISTRY_UNREACHABLE`, `REGISTRY_FAILED`, `REGISTRY_PROTOCOL`, `DIGEST_MISMATCH`. What was
   * sent before stays there, without a name; the next push goes on from it.
   */
  async push(reference: string, options: PushOptions = {}): Promise<PushResult> {
    return this.#work.run(options.signal, (signal) => pushImage(this.#services, reference, { ...options, signal }));
  }

  /**
   * Gives an image a further name; another image that had it loses it.
   *
   * @throws EngineError `NO_SUCH_IMAGE`, `AMBIGUOUS_IMAGE`, `INVALID_REFERENCE`.
   */
  async tag(reference: string, name: string): Promise<Image> {
    return this.#work.run(undefined, async () => this.#toImage(await tagImage(this.#services, reference, name)));
  }

  /**
   * Searches Docker Hub by its search service, any other registry by the names of its repositories.
   *
   * @throws EngineError `INVALID_OPTION`, `REGISTRY_UNSUPPORTED` where a registry does not list its repositories, and what
   * registries throw.
   */
  async search(term: string, options: SearchOptions = {}): Promise<readonly RegistrySearchResult[]> {
    return this.#work.run(options.signal, (signal) =>
      searchImages(this.#services.registry, term, { ...options, signal }),
    );
  }

  /**
   * Takes a name off an image and leaves the image; without its last name it is found by its id until it is removed.
   *
   * @throws EngineError `NO_SUCH_IMAGE`, `INVALID_REFERENCE`.
   */
  async untag(name: string): Promise<void> {
    await this.#work.run(undefined, () => untagImage(this.#services, name));
  }

  /**
   * All images, each once, by their first name; those without a name last.
   *
   * @throws EngineError `INVALID_OPTION`; `NO_SUCH_IMAGE` and `AMBIGUOUS_IMAGE` for the filters `before` and `since`.
   */
  async list(options: ListImagesOptions = {}): Promise<readonly Image[]> {
    this.#work.assertOpen();
    return listImages(this.#services, options);
  }

  /**
   * Everything that is known of an image.
   *
   * @throws EngineError `NO_SUCH_IMAGE`, `AMBIGUOUS_IMAGE`.
   */
  async inspect(reference: string): Promise<ImageInspection> {
    this.#work.assertOpen();
    return inspectImage(this.#services, reference);
  }

  /**
   * How an image was built, the last step first.
   *
   * @throws EngineError `NO_SUCH_IMAGE`, `AMBIGUOUS_IMAGE`.
   */
  async history(reference: string): Promise<readonly ImageHistoryEntry[]> {
    this.#work.assertOpen();
    return imageHistory(this.#services, reference);
  }

  /** What images take on disk, and what of that is shared. */
  async diskUsage(): Promise<ImagesDiskUsage> {
    return this.#work.run(undefined, () => imagesDiskUsage(this.#services));
  }

  /**
   * The image with a name, or with an id or the beginning of one.
   *
   * @throws EngineError `NO_SUCH_IMAGE`, `AMBIGUOUS_IMAGE`.
   */
  async get(reference: string): Promise<Image> {
    this.#work.assertOpen();
    return this.#toImage(await this.#services.images.resolve(reference));
  }

  /**
   * Takes the name off an image, and with its last name removes everything that no other image and no container needs. By
   * its id, or the beginning of one, an image is removed with its name.
   *
   * @throws EngineError `NO_SUCH_IMAGE`, `AMBIGUOUS_IMAGE`; `IMAGE_IN_USE` and `IMAGE_HAS_NAMES` (of kind `conflict`), see
   * {@link RemoveImageOptions}.
   */
  async remove(reference: string, options: RemoveImageOptions = {}): Promise<RemovedImage> {
    return this.#work.run(undefined, () => removeImage(this.#services, reference, options));
  }

  /**
   * Removes images that have no name, or with `all` those that no container uses; what no image needs any more; and what
   * is left of pulls that were interrupted and never repeated (an engine that opens removes that after a week).
   *
   * Waits until nothing is being pulled.
   *
   * @throws EngineError `INVALID_OPTION`.
   */
  async prune(options: PruneImagesOptions = {}): Promise<PrunedImages> {
    return this.#work.run(options.signal, (signal) => pruneImages(this.#services, { ...options, signal }));
  }

  /**
   * Writes images to a file, a stream (which is ended) or a directory, for other engines: `docker load`, podman, skopeo,
   * umoci, or {@link Images.load} of another machine.
   *
   * @param names - names, or ids; an image that is named by its id has all its names there.
   * @throws EngineError `NO_SUCH_IMAGE`, `AMBIGUOUS_IMAGE`, `INVALID_OPTION`, `BLOB_NOT_FOUND`, `NO_SPACE`; what the stream
   * fails with. A file appears when it is whole, or not at all.
   */
  async save(names: string | readonly string[], target: SaveTarget, options: SaveOptions = {}): Promise<void> {
    const list = typeof names === 'string' ? [names] : names;
    await this.#work.run(options.signal, (signal) => saveImages(this.#services, list, target, { ...options, signal }));
  }

  /**
   * Makes images of an archive (Docker's or OCI's, plain or compressed with gzip or zstd) or of an OCI layout directory.
   * They all become visible at the end, or none does.
   *
   * @param source - a path, or the bytes of an archive: a stream like `process.stdin`.
   * @returns the images, each once, with their names.
   * @throws EngineError `INVALID_ARCHIVE` naming the member, `INVALID_MANIFEST`, `DIGEST_MISMATCH`, `SIZE_MISMATCH`,
   * `BLOB_NOT_FOUND`, `PLATFORM_NOT_FOUND`, `INVALID_REFERENCE`, `INVALID_LAYER`, `INVALID_OPTION`, `TOO_LARGE`, `NO_SPACE`;
   * what the stream fails with.
   */
  async load(source: LoadSource, options: LoadOptions = {}): Promise<readonly Image[]> {
    return this.#work.run(options.signal, async (signal) => {
      const records = await loadImages(this.#services, source, { ...options, signal });
      const images = new Map(records.map((record) => [record.id, record]));
      return Promise.all([...images.values()].map((record) => this.#toImage(record)));
    });
  }

  /**
   * Makes an image of the tar archive of a root file system.
   *
   * @param source - a path, or the bytes of the archive: plain, gzip or zstd.
   * @throws EngineError `INVALID_REFERENCE`, `INVALID_OPTION` for `changes` and `platform`, `INVALID_LAYER`, `TOO_LARGE`,
   * `NO_SPACE`; what the stream fails with.
   */
  async import(source: string | AsyncIterable<Uint8Array>, options: ImportOptions = {}): Promise<Image> {
    return this.#work.run(options.signal, async (signal) =>
      this.#toImage(await importImage(this.#services, source, { ...options, signal })),
    );
  }

  /**
   * Makes an image from programs of the host and the shared libraries that they need: no registry, no download.
   *
   * @throws EngineError `HOST_PROGRAM_NOT_FOUND`, `HOST_LIBRARY_NOT_FOUND`, `HOST_FILE_UNUSABLE`, `INVALID_REFERENCE`.
   */
  async fromHost(options: FromHostOptions): Promise<Image> {
    return this.#work.run(options.signal, async (signal) =>
      this.#toImage(await packHostImage(this.#services, { ...options, signal }, this.#searchPath)),
    );
  }

  async #toImage(record: ImageRecord): Promise<Image> {
    return new Image(record, await namesOf(this.#services, record.id));
  }
}

import type { BlobInfo, BlobWriter, ReadOptions } from '../content/content-store.js';
import type { Abortable } from '../core/abortable.js';
import type { Descriptor } from '../core/descriptor.js';
import { type Digest, isDigest } from '../core/digest.js';
import { EngineError } from '../core/errors/engine-error.js';
import { limits } from '../core/limits.js';
import { decodeManifestOrIndex } from '../core/manifest.js';
import {
  formatFamiliarReference,
  formatReference,
  isRepositoryName,
  parseReference,
  type Reference,
} from '../core/reference.js';
import type { FetchedManifest } from '../registry/registry-client.js';
import type { RegistryLinks, RegistryStorage } from '../registry/registry-storage.js';
import { collectContent } from './collect-content.js';
import { type ContentTree, digestsOf, readContentTree } from './content-tree.js';
import { type ImageRecord, isNamed } from './image-record.js';
import type { ImageServices } from './image-services.js';
import { removeImage } from './remove-image.js';
import { storeImage } from './store-image.js';

/**
 * The images of an engine as a registry: `team/app:1` is what the engine calls so. What is pushed by tag and runs on this
 * machine becomes an image; the rest (artifacts, images of other machines, manifests without a tag) is kept by `links`,
 * beside the engine's images and in the same content store.
 */
export class ImageRegistryStorage implements RegistryStorage {
  readonly #services: ImageServices;
  readonly #links: RegistryLinks;

  /** @param links - keeps what is no image; on the content store of the engine. */
  constructor(services: ImageServices, links: RegistryLinks) {
    this.#services = services;
    this.#links = links;
  }

  async statBlob(repository: string, digest: Digest): Promise<BlobInfo | undefined> {
    const linked = await this.#links.statBlob(repository, digest);
    if (linked !== undefined) return linked;
    return (await this.#imageHas(repository, digest)) ? this.#services.content.stat(digest) : undefined;
  }

  readBlob(digest: Digest, options: ReadOptions): AsyncIterable<Uint8Array> {
    return this.#services.content.read(digest, options);
  }

  beginBlob(): Promise<BlobWriter> {
    return this.#links.beginBlob();
  }

  commitBlob(repository: string, writer: BlobWriter, digest: Digest): Promise<void> {
    return this.#links.commitBlob(repository, writer, digest);
  }

  async mountBlob(repository: string, digest: Digest, from: string): Promise<boolean> {
    return this.#services.holdContent(undefined, async () => {
      if (await this.#links.mountBlob(repository, digest, from)) return true;
      if ((await this.statBlob(from, digest)) === undefined) return false;
      await this.#links.linkBlob(repository, digest);
      return true;
    });
  }

  /** A blob of an image goes with the image. */
  deleteBlob(repository: string, digest: Digest): Promise<boolean> {
    return this.#links.deleteBlob(repository, digest);
  }

  async hasManifest(repository: string, digest: Digest): Promise<boolean> {
    return (await this.#links.hasManifest(repository, digest)) || this.#imageHas(repository, digest);
  }

  async getManifest(repository: string, reference: string): Promise<FetchedManifest | undefined> {
    if (isDigest(reference)) {
      const linked = await this.#links.getManifest(repository, reference);
      if (linked !== undefined) return linked;
      return (await this.#imageHas(repository, reference)) ? this.#read(reference) : undefined;
    }
    const image = await this.#services.images.find(nameOf(repository, reference));
    return image === undefined ? this.#links.getManifest(repository, reference) : this.#read(image.target);
  }

  async putManifest(
    repository: string,
    manifest: FetchedManifest,
    tags: readonly string[],
    options: Abortable,
  ): Promise<void> {
    const { digest } = manifest.descriptor;
    await this.#services.holdContent(options.signal, async () => {
      // First as what it is, so that it is here while its layers are unpacked.
      await this.#links.putManifest(repository, manifest, [], options);
      if (tags.length === 0) return;
      const tree = await readContentTree(this.#services.content, digest);
      try {
        if (!(await this.#storeImages(repository, tree, tags, options))) {
          await this.#tagLinks(repository, manifest, tags, options);
        } else if (tree.document.subject === undefined) {
          // What an image holds needs no other hold: it goes with the image.
          await this.#links.release(repository, digestsOf(tree));
        }
      } catch (error) {
        await this.#links.release(repository, new Set([digest]));
        throw error;
      }
    });
  }

  async deleteManifest(repository: string, digest: Digest): Promise<boolean> {
    const images = (await this.#imagesOf(repository)).filter(
      ({ target, manifest }) => target === digest || manifest === digest,
    );
    for (const image of images) await removeImage(this.#services, image.name);
    const deleted = await this.#links.deleteManifest(repository, digest);
    await collectContent(this.#services);
    return deleted || images.length > 0;
  }

  async deleteTag(repository: string, tag: string): Promise<boolean> {
    const image = await this.#services.images.find(nameOf(repository, tag));
    if (image === undefined) return this.#links.deleteTag(repository, tag);
    await removeImage(this.#services, image.name);
    return true;
  }

  async listTags(repository: string): Promise<readonly string[] | undefined> {
    const linked = await this.#links.listTags(repository);
    const images = await this.#imagesOf(repository);
    if (linked === undefined && images.length === 0) return undefined;
    const named = images.flatMap(({ name }) => parseReference(name).tag ?? []);
    return [...new Set([...(linked ?? []), ...named])].sort();
  }

  async listRepositories(): Promise<readonly string[]> {
    const named = (await this.#services.images.list()).filter(isNamed);
    const names = named.map(({ name }) => repositoryOf(parseReference(name)));
    const all = new Set([...(await this.#links.listRepositories()), ...names.filter(isRepositoryName)]);
    return [...all].sort();
  }

  listReferrers(repository: string, subject: Digest): Promise<readonly Descriptor[]> {
    return this.#links.listReferrers(repository, subject);
  }

  collectGarbage(): Promise<void> {
    return this.#links.collectGarbage();
  }

  /** False when it is no image that runs here: it is none under any name then. */
  async #storeImages(
    repository: string,
    tree: ContentTree,
    tags: readonly string[],
    options: Abortable,
  ): Promise<boolean> {
    for (const tag of tags) {
      const image = await storeImage(this.#services, parseReference(`${repository}:${tag}`), tree, options);
      if (image === undefined) return false;
      await this.#links.deleteTag(repository, tag);
    }
    return true;
  }

  async #tagLinks(
    repository: string,
    manifest: FetchedManifest,
    tags: readonly string[],
    options: Abortable,
  ): Promise<void> {
    await this.#links.putManifest(repository, manifest, tags, options);
    for (const tag of tags) await this.#services.images.remove(nameOf(repository, tag));
  }

  async #read(digest: Digest): Promise<FetchedManifest | undefined> {
    const { content } = this.#services;
    try {
      const bytes = await content.readBytes(digest, limits.manifestBytes);
      const { mediaType } = decodeManifestOrIndex(bytes, undefined, `manifest ${digest}`);
      return { descriptor: { mediaType, digest, size: bytes.byteLength }, bytes };
    } catch (error) {
      if (EngineError.is(error, 'BLOB_NOT_FOUND')) return undefined; // removed in this moment
      throw error;
    }
  }

  async #imageHas(repository: string, digest: Digest): Promise<boolean> {
    const images = await this.#imagesOf(repository);
    const near = images.some(
      ({ target, manifest, id, layers }) =>
        [target, manifest, id].includes(digest) || layers.some((layer) => layer.digest === digest),
    );
    if (near) return true;
    // The other images of an index are further away.
    for (const image of images) {
      if (image.target === image.manifest) continue;
      if (digestsOf(await readContentTree(this.#services.content, image.target)).has(digest)) {
        return (await this.#services.content.stat(digest)) !== undefined;
      }
    }
    return false;
  }

  async #imagesOf(repository: string): Promise<readonly ImageRecord[]> {
    const wanted = repositoryOf(parseReference(`${repository}:any`));
    const named = (await this.#services.images.list()).filter(isNamed);
    return named.filter(({ name }) => repositoryOf(parseReference(name)) === wanted);
  }
}

const repositoryOf = ({ registry, repository }: Reference): string => formatFamiliarReference({ registry, repository });

const nameOf = (repository: string, tag: string): string => formatReference(parseReference(`${repository}:${tag}`));

import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { Abortable } from '../core/abortable.js';
import type { Digest } from '../core/digest.js';
import { attachCleanupErrors } from '../core/errors/attach-cleanup-errors.js';
import { EngineError } from '../core/errors/engine-error.js';
import type { ImageConfig, ImageRunConfig } from '../core/image-config.js';
import { collectContent } from './collect-content.js';
import { applyConfigChanges } from './config-changes.js';
import { Image } from './image.js';
import { namesOf } from './image-group.js';
import { configOf, type ImageRecord } from './image-record.js';
import type { ImageServices } from './image-services.js';
import { makeImage } from './make-image.js';
import { newImageName } from './new-image-name.js';

/** What an image says about how it was made, and how it is started. */
export interface CommitImageOptions extends Abortable {
  /** Name of the new image. Default: it has none, and is found by its id. */
  readonly name?: string;
  /** Who made it. Default: nobody is named. */
  readonly author?: string;
  /** Comment in the history of the image. Default: none. */
  readonly message?: string;
  /** How its containers are started, over what the container's were; applied before `changes`. Default: nothing. */
  readonly config?: ImageRunConfig;
  /** Instructions as in a Dockerfile, as for `images.import`. Default: none. */
  readonly changes?: readonly string[];
  /**
   * How the new layer is stored, and sent to registries. `'gzip'` takes several times as long, and makes pushes smaller.
   * Default `'none'`.
   */
  readonly compression?: 'gzip' | 'none';
}

/** A new layer on an image. */
export interface CommitRequest extends CommitImageOptions {
  /** Of the image below, if there is one. */
  readonly base: Digest | undefined;
  /** How containers of the new image are started, unless the options say otherwise. */
  readonly run: (base: ImageConfig['config']) => ImageRunConfig;
  /** What has made the layer, for the history. */
  readonly createdBy: string;
  /** A plain tar archive. Called once, when the options have been checked. */
  readonly layer: () => AsyncIterable<Uint8Array>;
}

/** The quickest: whoever commits waits. */
const GZIP_LEVEL = 1;

/**
 * Makes an image of another one and a layer on it.
 *
 * @throws EngineError `INVALID_REFERENCE`, `INVALID_OPTION`, `NO_SUCH_IMAGE` when the one below has gone, `NO_SPACE`.
 */
export async function commitImage(services: ImageServices, request: CommitRequest): Promise<Image> {
  const { signal, compression = 'none' } = request;
  if (compression !== 'gzip' && compression !== 'none')
    throw new EngineError('INVALID_OPTION', { option: 'compression', expected: 'gzip or none', got: compression });
  const name = request.name === undefined ? undefined : newImageName(request.name);
  applyConfigChanges({}, request.changes ?? []); // what is wrong with them is told before anything is done
  try {
    return await services.holdContent(signal, async () => {
      const base = request.base === undefined ? undefined : await requireBase(services, request.base);
      const below = base && configOf(base);
      const run = applyConfigChanges({ ...request.run(below?.config), ...request.config }, request.changes ?? []);
      const { layer, diffId } = await storeLayer(services, request.layer(), compression, signal);
      const created = services.now().toISOString();
      const entry = {
        created,
        created_by: request.createdBy,
        ...(request.author && { author: request.author }),
        ...(request.message && { comment: request.message }),
      };
      const inherited = base === undefined ? {} : (JSON.parse(base.config) as Record<string, unknown>);
      const document = {
        ...inherited,
        ...(base === undefined && services.platform),
        created,
        ...(request.author && { author: request.author }),
        config: run,
        rootfs: { type: 'layers', diff_ids: [...(below?.rootfs.diff_ids ?? []), diffId] },
        history: [...historyOf(below), entry],
      };
      const layers = [...(base?.layers ?? []), { ...layer, diffId }];
      const image = await makeImage(services, { name, document, layers, signal });
      return new Image(image, await namesOf(services, image.id));
    });
  } catch (error) {
    await collectContent(services).catch((failure: unknown) => attachCleanupErrors(error, [failure]));
    throw error;
  }
}

/** One entry for each layer: an image may have none, and then nobody could tell which layer the new one is for. */
function historyOf(below: ImageConfig | undefined): readonly object[] {
  const known = below?.history ?? [];
  const layers = below?.rootfs.diff_ids?.length ?? 0;
  const missing = layers - known.filter(({ empty_layer: isEmpty }) => isEmpty !== true).length;
  return [...Array.from({ length: Math.max(missing, 0) }, () => ({ created_by: '' })), ...known];
}

async function requireBase(services: ImageServices, id: Digest): Promise<ImageRecord> {
  const found = await services.images.search(id);
  if (found === undefined) throw new EngineError('NO_SUCH_IMAGE', { reference: id });
  return found;
}

async function storeLayer(
  services: ImageServices,
  archive: AsyncIterable<Uint8Array>,
  compression: 'gzip' | 'none',
  signal: AbortSignal | undefined,
) {
  if (compression === 'none') {
    const layer = await services.content.putStream(archive, { signal });
    return { layer, diffId: layer.digest };
  }
  const hash = createHash('sha256');
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of archive) {
      hash.update(chunk);
      yield chunk;
    }
  }
  const layer = await services.content.putStream(gzip(hashed()), { signal });
  return { layer, diffId: `sha256:${hash.digest('hex')}` as Digest };
}

function gzip(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  // A failure of the source destroys the stream, whose reader gets it.
  return pipeline(bytes, createGzip({ level: GZIP_LEVEL }), () => undefined) as unknown as AsyncIterable<Uint8Array>;
}

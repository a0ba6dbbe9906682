import { createHash } from 'node:crypto';
import type { BlobInfo } from '../content/content-store.js';
import type { Abortable } from '../core/abortable.js';
import type { Digest } from '../core/digest.js';
import { attachCleanupErrors } from '../core/errors/attach-cleanup-errors.js';
import { EngineError } from '../core/errors/engine-error.js';
import { limits } from '../core/limits.js';
import { normalisePlatform, type Platform, parsePlatform } from '../core/platform.js';
import { BadCompression, decompress } from '../layers/compression/decompress.js';
import { abortableIterable } from '../util/abortable-iterable.js';
import { onlyBytes } from '../util/only-bytes.js';
import { readFileChunks } from '../util/read-file-chunks.js';
import { blobCompression } from './archive/create-manifest.js';
import { collectContent } from './collect-content.js';
import { applyConfigChanges } from './config-changes.js';
import type { ImageRecord } from './image-record.js';
import type { ImageServices } from './image-services.js';
import { makeImage } from './make-image.js';
import { newImageName } from './new-image-name.js';

/** How an image is made of a file system. */
export interface ImportOptions extends Abortable {
  /** Name of the image. Default: it has none, and is found by its id. */
  readonly name?: string;
  /**
   * Instructions as in a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME,
   * WORKDIR. Default: none, so that containers need a command.
   */
  readonly changes?: readonly string[];
  /** Comment in the history of the image. Default: none. */
  readonly message?: string;
  /** What it runs on, `linux/arm64` or in parts. Default: this host. */
  readonly platform?: string | Platform;
}

/**
 * Makes an image of one layer from the tar archive of a root file system (plain, gzip or zstd), as it comes.
 *
 * @throws EngineError `INVALID_REFERENCE`, `INVALID_OPTION` for `changes` and `platform`, `INVALID_LAYER`, `TOO_LARGE`,
 * `NO_SPACE`; what the stream fails with.
 */
export async function importImage(
  services: ImageServices,
  source: string | AsyncIterable<Uint8Array>,
  options: ImportOptions = {},
): Promise<ImageRecord> {
  const name = options.name === undefined ? undefined : newImageName(options.name);
  const run = applyConfigChanges({}, options.changes ?? []);
  const platform = platformOf(options.platform) ?? services.platform;
  const { signal } = options;
  const bytes = typeof source === 'string' ? readFileChunks(source) : onlyBytes(source, 'source');
  try {
    return await services.holdContent(signal, async () => {
      const layer = await services.content.putStream(abortableIterable(bytes, signal), { signal });
      const diffId = await diffIdOf(services, layer, signal);
      const created = services.now().toISOString();
      const history = [{ created, created_by: 'import', ...(options.message && { comment: options.message }) }];
      const config = { created, ...platform, config: run, rootfs: { type: 'layers', diff_ids: [diffId] }, history };
      const image = await makeImage(services, { name, document: config, layers: [{ ...layer, diffId }], signal });
      services.tell('import', image);
      return image;
    });
  } catch (error) {
    await collectContent(services).catch((failure: unknown) => attachCleanupErrors(error, [failure]));
    throw error;
  }
}

function platformOf(platform: string | Platform | undefined): Platform | undefined {
  if (platform === undefined) return undefined;
  return typeof platform === 'string' ? parsePlatform(platform) : normalisePlatform(platform);
}

/** Of what the layer is when it is not compressed. */
async function diffIdOf(
  services: ImageServices,
  { digest }: BlobInfo,
  signal: AbortSignal | undefined,
): Promise<Digest> {
  const hash = createHash('sha256');
  const what = 'the root file system';
  // A decoder looks at chunks later than it takes them.
  const reuseChunks = (await blobCompression(services.content, digest)) === 'none';
  try {
    const plain = decompress(services.content.read(digest, { signal, reuseChunks }), {
      what,
      maxBytes: limits.layerBytes,
    });
    for await (const chunk of plain) hash.update(chunk);
  } catch (error) {
    if (!(error instanceof BadCompression)) throw error;
    throw new EngineError('INVALID_LAYER', { diffId: digest, entry: '', reason: error.message }, { cause: error });
  }
  return `sha256:${hash.digest('hex')}` as Digest;
}

import type { Abortable } from '../core/abortable.js';
import { type Digest, digestOf } from '../core/digest.js';
import { mediaTypes } from '../core/media-types.js';
import { formatReference, parseReference } from '../core/reference.js';
import { packHostPrograms } from './from-host/pack-host-programs.js';
import { saveImage } from './image-names.js';
import type { ImageRecord } from './image-record.js';
import type { ImageServices } from './image-services.js';
import { layerSource } from './layer-source.js';

export interface FromHostOptions extends Abortable {
  /** Programs of the host: names, looked up in PATH, or absolute paths. The first is the image's command. */
  readonly binaries: readonly string[];
  /** Name of the image, e.g. `my-tools:1`. */
  readonly tag: string;
  /** Further files or directories: a path that stays the same inside, or `source` on the host as `target` inside. */
  readonly files?: readonly (string | { readonly source: string; readonly target: string })[];
  /** Variables of containers, beside PATH. Default: none. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Makes an image from programs of the host and the shared libraries that they need: no registry, no download.
 *
 * @throws EngineError `HOST_PROGRAM_NOT_FOUND`, `HOST_LIBRARY_NOT_FOUND`, `HOST_FILE_UNUSABLE`, `INVALID_REFERENCE`.
 */
export async function packHostImage(
  services: ImageServices,
  options: FromHostOptions,
  searchPath: string,
): Promise<ImageRecord> {
  const name = formatReference(parseReference(options.tag));
  const packed = await packHostPrograms({ ...options, searchPath });
  return services.holdContent(options.signal, async () => {
    const layer = await services.content.putStream(packed.tar(), { signal: options.signal });
    const config = JSON.stringify({
      ...services.platform,
      config: {
        Env: [...packed.config.env, ...Object.entries(options.env ?? {}).map(([key, value]) => `${key}=${value}`)],
        Cmd: packed.config.cmd,
      },
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
    });
    const manifest = toManifest(config, layer);
    await services.content.put(Buffer.from(config));
    const { digest: manifestDigest } = await services.content.put(Buffer.from(manifest));
    const source = layerSource(services.content, { ...layer, diffId: layer.digest });
    await services.layers.apply([source], { signal: options.signal });
    const image: ImageRecord = {
      version: 1,
      name,
      target: manifestDigest,
      manifest: manifestDigest,
      id: digestOf(config),
      config,
      layers: [{ ...layer, diffId: layer.digest }],
      storedAt: services.now().toISOString(),
    };
    options.signal?.throwIfAborted();
    await saveImage(services, image); // the point of no return
    services.tell('import', image);
    return image;
  });
}

/** @see OCI image-spec, manifest.md */
function toManifest(config: string, layer: { readonly digest: Digest; readonly size: number }): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: Buffer.byteLength(config) },
    layers: [{ mediaType: mediaTypes.ociLayer, ...layer }],
  });
}

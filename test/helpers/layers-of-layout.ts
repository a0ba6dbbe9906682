import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '#lib/core/digest.js';
import type { LayerSource } from '#lib/layers/layer-store.js';
import type { ImageLayout } from './image-layout.js';

/** The layers of the image in a layout, as a layer store takes them. */
export async function layersOfLayout({ path, tag }: ImageLayout): Promise<readonly LayerSource[]> {
  const blob = (digest: string): string => join(path, 'blobs', digest.replace(':', '/'));
  const json = async (file: string) => JSON.parse(await readFile(file, 'utf8'));
  const { manifests } = await json(join(path, 'index.json'));
  const name = 'org.opencontainers.image.ref.name';
  const found = manifests.find((each: { annotations?: Record<string, string> }) => each.annotations?.[name] === tag);
  const manifest = await json(blob(found.digest));
  const config = await json(blob(manifest.config.digest));
  return manifest.layers.map((layer: { digest: string }, at: number): LayerSource => {
    const file = blob(layer.digest);
    return {
      diffId: config.rootfs.diff_ids[at] as Digest,
      file: async () => file,
      open: () => createReadStream(file, { highWaterMark: 256 * 1024 }),
    };
  });
}

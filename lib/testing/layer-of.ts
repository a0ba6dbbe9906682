import { digestOf } from '../core/digest.js';
import type { LayerSource } from '../layers/layer-store.js';

/** `archive` as a layer of an image, stored as it is or as `stored`. */
export function layerOf(archive: Buffer, stored: Buffer = archive): LayerSource {
  return {
    diffId: digestOf(archive),
    open: async function* () {
      for (let at = 0; at < stored.length; at += 65_536) yield stored.subarray(at, at + 65_536);
    },
  };
}

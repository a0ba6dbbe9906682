import { readFile } from 'node:fs/promises';
import { bool, type Decoded, decodeJson, integer, listOf, literal, optional, record, text } from '../core/decode.js';
import { writeFileAtomically } from '../util/atomic-file.js';
import { isMissing } from '../util/file-error.js';

const decodeRecord = record({
  version: literal(1),
  /** The stack that the directory stands for: one diffID, or all from the lowest up to this layer. */
  diffIds: listOf(text),
  sizeBytes: integer,
  root: optional(record({ uid: integer, gid: integer, mode: integer, mtime: text })),
  rootOpaque: bool,
  /** It is an EROFS index and its content, not a tree. */
  indexed: optional(bool),
  /** What the layer takes from the layers below; one byte per character. */
  implicit: listOf(text),
  links: listOf(record({ path: text, target: text })),
});

/** What a store knows of an unpacked layer, in `layer.json` beside its files. */
export type LayerRecord = Decoded<typeof decodeRecord>;

/** Undefined when there is none. @throws EngineError `CORRUPT_RECORD`. */
export async function readLayerRecord(path: string): Promise<LayerRecord | undefined> {
  try {
    return decodeJson(await readFile(path, 'utf8'), decodeRecord, path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export async function writeLayerRecord(path: string, layer: LayerRecord): Promise<void> {
  await writeFileAtomically(path, JSON.stringify(layer));
}

/** True when the layer is the same above any other layers. */
export function isIndependent(layer: LayerRecord): boolean {
  return layer.implicit.length === 0 && layer.links.length === 0;
}

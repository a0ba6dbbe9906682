import { readFileSync } from 'node:fs';
import { type Decoded, decodeJson, integer, literal, record, text } from '../../core/decode.js';
import { writeFileAtomically } from '../../util/atomic-file.js';
import { hasErrno } from '../../util/errno.js';

const decodeRecord = record({
  version: literal(1),
  subnet: text,
  /** Interface index of the bridge when it was last made; of no meaning while no such bridge exists. */
  bridgeIndex: integer,
  mtu: integer,
});

/** What is remembered of a bridge network, so that its addresses stay the same. */
export type NetworkRecord = Decoded<typeof decodeRecord>;

/** Undefined when nothing has been remembered yet. @throws EngineError `CORRUPT_RECORD`. */
export function readNetworkRecord(path: string): NetworkRecord | undefined {
  try {
    return decodeJson(readFileSync(path, 'utf8'), decodeRecord, path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export async function writeNetworkRecord(path: string, content: NetworkRecord): Promise<void> {
  await writeFileAtomically(path, JSON.stringify(content), 'durable');
}

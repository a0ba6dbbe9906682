import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  bool,
  type Decoded,
  type Decoder,
  decodeJson,
  integer,
  listOf,
  literal,
  optional,
  record,
  text,
} from '../../core/decode.js';
import { EngineError } from '../../core/errors/engine-error.js';
import type { StorageLayout } from '../../core/storage-layout.js';
import { invalidOption } from '../invalid-option.js';

/** The name of a checkpoint that was given none. */
export const defaultCheckpoint = 'checkpoint';

/** Where the checkpoints of a container are: with its memory in them they are root's alone. */
export const checkpointsDirectory = (layout: StorageLayout, id: string): string =>
  join(layout.container(id), 'checkpoints');

export interface CheckpointFiles {
  /** Mode 0700. */
  readonly directory: string;
  readonly images: string;
  readonly record: string;
}

export function checkpointFiles(directory: string): CheckpointFiles {
  return { directory, images: join(directory, 'images'), record: join(directory, 'checkpoint.json') };
}

/** @throws EngineError `INVALID_OPTION`. */
export function checkpointName(name: unknown = defaultCheckpoint): string {
  if (typeof name === 'string' && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(name)) return name;
  throw invalidOption('checkpoint', 'letters, digits, dots, hyphens and underscores, at most 128', name);
}

/** As criu knows them. */
const streamName: Decoder<string> = (value, path) => {
  const name = text(value, path);
  if (/^(?:pipe:\[\d+\]|file\[[0-9a-f]+:[0-9a-f]+\])$/.test(name)) return name;
  throw new EngineError('CORRUPT_RECORD', { path, expected: 'a pipe or a file' });
};

const checkpointRecord = record({
  version: literal(1),
  createdAt: text,
  tcpEstablished: bool,
  fileLocks: bool,
  /** What its mounts forbid, see {@link mountRestrictions}. */
  mounts: listOf(record({ target: text, restrictions: listOf(text) })),
  outside: record({
    mounts: listOf(text),
    network: optional(integer),
    streams: listOf(record({ fd: literal(0, 1, 2), name: streamName })),
  }),
});

/** What `checkpoint.json` holds. Where anything on the host is, is not in it. */
export type CheckpointRecord = Decoded<typeof checkpointRecord>;

/** @throws EngineError `NO_SUCH_CHECKPOINT`, `CORRUPT_RECORD`. */
export function readCheckpoint(files: CheckpointFiles, id: string, name: string): CheckpointRecord {
  if (!existsSync(files.record)) throw new EngineError('NO_SUCH_CHECKPOINT', { id, name });
  return decodeJson(readFileSync(files.record, 'utf8'), checkpointRecord, files.record);
}

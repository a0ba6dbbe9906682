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
} from '../core/decode.js';
import { type Digest, isDigest } from '../core/digest.js';
import { EngineError } from '../core/errors/engine-error.js';
import type { RootMount } from '../core/mount.js';
import { containerConfig } from './container-config.js';

const digest: Decoder<Digest> = (value, path) => {
  const decoded = text(value, path);
  if (!isDigest(decoded)) throw new EngineError('CORRUPT_RECORD', { path, expected: 'a digest' });
  return decoded;
};

const overlayRoot = record({
  type: literal('overlay'),
  lower: listOf(text),
  upper: text,
  work: text,
  volatile: bool,
  inMemory: optional(bool),
});
const bindRoot = record({ type: literal('bind'), source: text });

const root: Decoder<RootMount> = (value, path) =>
  record({ type: literal('overlay', 'bind') })(value, path).type === 'overlay'
    ? overlayRoot(value, path)
    : bindRoot(value, path);

const containerRecord = record({
  version: literal(1),
  id: text,
  name: text,
  /** Absent for a container on a directory of the host. */
  image: optional(record({ reference: text, id: digest, stack: listOf(digest) })),
  createdAt: text,
  /** The process that made it; a container of lifetime `owner` does not outlive it. */
  owner: record({ pid: integer, startTicks: text }),
  root,
  config: containerConfig,
});

/** What `containers/ID/record.json` holds; it does not change while the container exists. */
export type ContainerRecord = Decoded<typeof containerRecord>;

/** @throws EngineError `CORRUPT_RECORD`, `UNKNOWN_VERSION`. */
export function decodeContainerRecord(json: string, path: string): ContainerRecord {
  const { version } = decodeJson(json, record({ version: integer }), path);
  if (version !== 1) throw new EngineError('UNKNOWN_VERSION', { path, version: String(version), supported: '1' });
  return decodeJson(json, containerRecord, path);
}

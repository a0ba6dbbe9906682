import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Decoded, decodeJson, integer, listOf, literal, record, text } from '../../core/decode.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { hasErrno } from '../../util/errno.js';

const decodeEndpoint = record({
  version: literal(1),
  containerId: text,
  address: text,
  ports: listOf(
    record({ hostAddress: text, hostPort: integer, containerPort: integer, protocol: literal('tcp', 'udp') }),
  ),
});

/** What must be given back when a container goes. */
export type EndpointRecord = Decoded<typeof decodeEndpoint>;

/**
 * One file per endpoint. Synchronous, because each call is one or two system calls on a small file.
 */
export interface EndpointStore {
  /** Makes the directory; one that exists is fine. */
  open(): void;
  write(endpoint: EndpointRecord): void;
  /** Undefined when there is none, or what is there cannot be read (it is the sweep's to remove). */
  read(containerId: string): EndpointRecord | undefined;
  remove(containerId: string): void;
  /** Ids of the containers that have a file. */
  ids(): string[];
}

const SUFFIX = '.json';

export function createEndpointStore(directory: string): EndpointStore {
  const pathOf = (containerId: string): string => join(directory, `${containerId}${SUFFIX}`);
  return {
    open: () => void mkdirSync(directory, { recursive: true, mode: 0o700 }),
    write: (endpoint) => {
      const path = pathOf(endpoint.containerId);
      const temporary = `${path}.${process.pid}.tmp`;
      writeFileSync(temporary, JSON.stringify(endpoint), { mode: 0o600 });
      renameSync(temporary, path);
    },
    read: (containerId) => readEndpoint(pathOf(containerId)),
    remove: (containerId) => rmSync(pathOf(containerId), { force: true }),
    ids: () => idsIn(directory),
  };
}

function readEndpoint(path: string): EndpointRecord | undefined {
  try {
    return decodeJson(readFileSync(path, 'utf8'), decodeEndpoint, path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT') || EngineError.is(error, 'CORRUPT_RECORD')) return undefined;
    throw error;
  }
}

function idsIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => name.slice(0, -SUFFIX.length));
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

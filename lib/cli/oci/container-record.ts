import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  bool,
  type Decoded,
  decodeJson,
  integer,
  listOf,
  literal,
  mapOf,
  optional,
  record,
  text,
} from '../../core/decode.js';
import { EngineError } from '../../core/errors/engine-error.js';
import type { ProcessIdentity } from '../../core/process-identity.js';
import { hasErrno } from '../../util/errno.js';
import type { RuntimeContext } from './runtime-context.js';

const decoder = record({
  version: literal(1),
  id: text,
  ociVersion: text,
  bundle: text,
  rootfs: text,
  /** ISO 8601. */
  created: text,
  /** 0 while it is being created. */
  pid: integer,
  /** Decimal, since it may exceed 2^53. */
  startTicks: text,
  started: bool,
  owner: text,
  annotations: optional(mapOf(text)),
  cgroup: record({
    version: literal('v1', 'v2', 'none'),
    path: text,
    directories: listOf(text),
  }),
});

/** What is kept of a container between commands: ROOT/ID/state.json. */
export type ContainerRecord = Decoded<typeof decoder>;

export const containerDirectory = (context: Pick<RuntimeContext, 'root'>, id: string): string => join(context.root, id);
export const controlSocket = (context: Pick<RuntimeContext, 'root'>, id: string): string =>
  join(containerDirectory(context, id), 'control.sock');
/** The configuration as it was when the container was created. */
export const configCopy = (context: Pick<RuntimeContext, 'root'>, id: string): string =>
  join(containerDirectory(context, id), 'config.json');

/** @throws EngineError `INVALID_CONTAINER_ID`. */
export function checkContainerId(id: string): string {
  const refuse = (reason: string): never => {
    throw new EngineError('INVALID_CONTAINER_ID', { id: id.slice(0, 200), reason });
  };
  if (id === '') return refuse('invalid empty text');
  if (id.length > 255) return refuse('invalid length');
  if (!/^[A-Za-z0-9_+.-]+$/.test(id)) return refuse('invalid character');
  if (id.startsWith('.') || id.startsWith('-')) return refuse('invalid first character');
  return id;
}

/** Makes the directory of a new container: who makes it has the id. @throws EngineError `NAME_TAKEN`. */
export function reserveId(context: RuntimeContext, id: string): void {
  mkdirSync(context.root, { recursive: true, mode: 0o700 });
  try {
    mkdirSync(containerDirectory(context, id), { mode: 0o700 });
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
    throw new EngineError('NAME_TAKEN', { what: 'container', name: id, by: 'a container that exists' });
  }
}

export function writeRecord(context: RuntimeContext, record: ContainerRecord): void {
  const path = join(containerDirectory(context, record.id), 'state.json');
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, JSON.stringify(record), { mode: 0o600 });
  renameSync(temporary, path);
}

/** @throws EngineError `INVALID_CONTAINER_ID`, `NO_SUCH_CONTAINER`. */
export function readRecord(context: RuntimeContext, id: string): ContainerRecord {
  const path = join(containerDirectory(context, checkContainerId(id)), 'state.json');
  let json: string;
  try {
    json = readFileSync(path, 'utf8');
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    throw new EngineError('NO_SUCH_CONTAINER', { reference: id });
  }
  return decodeJson(json, decoder, path);
}

/** Ids of all containers below the root, sorted; none where there is no root. */
export function listIds(context: RuntimeContext): readonly string[] {
  try {
    return readdirSync(context.root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

export function removeRecord(context: RuntimeContext, id: string): void {
  rmSync(containerDirectory(context, id), { recursive: true, force: true });
}

export const identityOf = (record: ContainerRecord): ProcessIdentity => {
  return { pid: record.pid, startTicks: BigInt(record.startTicks) };
};

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { link, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError, type ErrorCode } from '../core/errors/engine-error.js';
import { limits } from '../core/limits.js';
import type { StorageLayout } from '../core/storage-layout.js';
import { syncDirectory, writeFileAtomically } from '../util/atomic-file.js';
import { hasErrno } from '../util/errno.js';
import { isMissing } from '../util/file-error.js';
import { containerFiles } from './container-files.js';
import { type ContainerRecord, decodeContainerRecord } from './container-record.js';

const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

/** The containers of a root: `containers/ID/record.json`, and `names/NAME` for those that were given a name. */
export class ContainerRecords {
  constructor(private readonly layout: StorageLayout) {}

  /**
   * Reserves a name for a container, whose directory is there already.
   *
   * @throws EngineError `INVALID_NAME`, `NAME_TAKEN`.
   */
  async reserveName(name: string, id: string): Promise<void> {
    if (!namePattern.test(name)) {
      const expected = 'letters, digits, _ . - and a letter or digit first, at most 63';
      throw new EngineError('INVALID_NAME', { what: 'container name', value: name, expected });
    }
    const path = join(this.layout.names(), name);
    for (;;) {
      try {
        await claim(join(this.layout.container(id), 'name'), path, id);
        return;
      } catch (error) {
        if (!hasErrno(error, 'EEXIST')) {
          this.releaseName(name, id); // it has it when only the last step of the claim has failed
          throw error;
        }
      }
      const holder = await readText(path);
      if (holder === undefined) continue; // given back in this moment
      if (await this.#holds(holder, name)) {
        throw new EngineError('NAME_TAKEN', { what: 'container', name, by: `container ${holder.slice(0, 12)}` });
      }
      await rm(path, { force: true }); // left by a crash in the middle of making, renaming or removing a container
    }
  }

  releaseName(name: string, id: string): void {
    const path = join(this.layout.names(), name);
    if (!existsSync(path)) return;
    try {
      if (readFileSync(path, 'utf8') === id) rmSync(path, { force: true });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /** Gives back every name of a container whose record does not tell it. */
  async releaseNames(id: string): Promise<void> {
    for (const name of await readdir(this.layout.names())) this.releaseName(name, id);
  }

  /** Makes the directories of a new container. */
  makeDirectories(id: string): void {
    mkdirSync(this.layout.container(id), { mode: 0o700 });
    mkdirSync(this.layout.runContainer(id), { mode: 0o700 });
  }

  /** Containers that die with their owner need not survive a power cut. */
  async save(record: ContainerRecord): Promise<void> {
    const files = containerFiles(this.layout, record.id);
    const json = JSON.stringify(record);
    if (record.config.lifetime === 'owner') {
      writeFileSync(`${files.runRecord}.tmp`, json, { flag: 'wx', mode: 0o600 });
      renameSync(`${files.runRecord}.tmp`, files.runRecord); // a list made meanwhile sees all of it or nothing
      return;
    }
    await writeFileAtomically(files.record, json);
    await syncDirectory(this.layout.containers());
  }

  /** All of them, newest first. @throws EngineError `CORRUPT_RECORD`, `UNKNOWN_VERSION`, `TOO_LARGE` when one is damaged. */
  async list(): Promise<readonly ContainerRecord[]> {
    const { records, damaged } = await this.survey();
    if (damaged[0] !== undefined) throw damaged[0].error;
    return records;
  }

  /** Those that can be read, newest first, and those that cannot. */
  async survey(): Promise<RecordSurvey> {
    const records: ContainerRecord[] = [];
    const damaged: DamagedRecord[] = [];
    await Promise.all(
      (await this.ids()).map(async (id) => {
        const found = await this.look(id);
        if (EngineError.is(found)) damaged.push({ id, error: found });
        else if (found !== undefined) records.push(found);
      }),
    );
    return { records: records.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1)), damaged };
  }

  /** Everything that has a directory, also what has no record yet. */
  async ids(): Promise<readonly string[]> {
    const entries = await readdir(this.layout.containers()).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    return entries.filter((entry) => /^[0-9a-f]{64}$/.test(entry));
  }

  /** Undefined for what is being made or removed at this moment. */
  async read(id: string): Promise<ContainerRecord | undefined> {
    const { record, runRecord } = containerFiles(this.layout, id);
    for (const path of [runRecord, record]) {
      const json = await readText(path);
      if (json === undefined || json === '') continue;
      if (json.length > limits.recordBytes)
        throw new EngineError('TOO_LARGE', { what: path, maxBytes: limits.recordBytes });
      return decodeContainerRecord(json, path);
    }
    return undefined;
  }

  /** The same, but the error of what is damaged as a value. */
  async look(id: string): Promise<FoundRecord | undefined> {
    try {
      return await this.read(id);
    } catch (error) {
      if (isDamage(error)) return error;
      throw error;
    }
  }

  /**
   * The container that a user means: a name, an id, or the beginning of an id.
   *
   * @throws EngineError `NO_SUCH_CONTAINER`, `AMBIGUOUS_CONTAINER`; `CORRUPT_RECORD`, `UNKNOWN_VERSION`, `TOO_LARGE`.
   */
  async resolve(reference: string): Promise<ContainerRecord> {
    const found = (await this.#named(reference))?.found ?? (await this.look(await this.#idOf(reference)));
    if (found === undefined) throw new EngineError('NO_SUCH_CONTAINER', { reference });
    if (EngineError.is(found)) throw found;
    return found;
  }

  /** The id of one that may be damaged. @throws EngineError `NO_SUCH_CONTAINER`, `AMBIGUOUS_CONTAINER`. */
  async resolveId(reference: string): Promise<string> {
    return (await this.#named(reference))?.id ?? this.#idOf(reference);
  }

  async #idOf(reference: string): Promise<string> {
    const matches = /^[0-9a-f]{1,64}$/.test(reference)
      ? (await this.ids()).filter((id) => id.startsWith(reference))
      : [];
    const [first] = matches;
    if (first === undefined) throw new EngineError('NO_SUCH_CONTAINER', { reference });
    if (matches.length > 1) throw new EngineError('AMBIGUOUS_CONTAINER', { reference, matches });
    return first;
  }

  async prepareDirectories(): Promise<void> {
    await mkdir(this.layout.containers(), { recursive: true, mode: 0o711 });
    await mkdir(this.layout.names(), { recursive: true, mode: 0o700 });
  }

  /** What has the name: not what is being made, nor what had it before it was renamed. */
  async #named(name: string): Promise<{ readonly id: string; readonly found: FoundRecord } | undefined> {
    const id = namePattern.test(name) ? await readText(join(this.layout.names(), name)) : undefined;
    const found = id === undefined ? undefined : await this.look(id);
    if (id === undefined || found === undefined) return undefined;
    return EngineError.is(found) || found.name === name ? { id, found } : undefined;
  }

  /**
   * Whether a name is that of the container whose id its file has. One that is being made has no record yet, and the
   * record of one that is being renamed has its old name for a moment more.
   */
  async #holds(id: string, name: string): Promise<boolean> {
    if (!(await this.ids()).includes(id)) return false;
    const found = await this.look(id);
    if (found === undefined || EngineError.is(found) || found.name === name) return true;
    return Date.now() - ((await modifiedMs(join(this.layout.names(), name))) ?? 0) < RENAME_MS;
  }
}

/** What takes longer than this was a rename that a crash has ended. */
const RENAME_MS = 60_000;

async function modifiedMs(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** A container whose record cannot be read. */
export interface DamagedRecord {
  readonly id: string;
  /** `CORRUPT_RECORD`, `UNKNOWN_VERSION` or `TOO_LARGE`. */
  readonly error: EngineError;
}

/** All containers of a root. */
export interface RecordSurvey {
  readonly records: readonly ContainerRecord[];
  readonly damaged: readonly DamagedRecord[];
}

/** A record; for one that is damaged `CORRUPT_RECORD`, `UNKNOWN_VERSION` or `TOO_LARGE`. */
export type FoundRecord = ContainerRecord | EngineError;

/** True for what reading a record throws when the file is there and means nothing to this version. */
function isDamage(error: unknown): error is EngineError {
  return ['CORRUPT_RECORD', 'UNKNOWN_VERSION', 'TOO_LARGE'].some((code) => EngineError.is(error, code as ErrorCode));
}

/** Makes the file with its content in one step: an empty one would look like that of a crashed process. */
async function claim(complete: string, path: string, content: string): Promise<void> {
  await writeFile(complete, content, { mode: 0o600 });
  try {
    await link(complete, path);
  } finally {
    await rm(complete, { force: true });
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

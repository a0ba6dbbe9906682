import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../core/errors/engine-error.js';
import { limits } from '../core/limits.js';
import type { StorageLayout } from '../core/storage-layout.js';
import { syncDirectory, writeFileAtomically } from '../util/atomic-file.js';
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
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      }
      const holder = await readText(path);
      if (holder === undefined) continue; // given back in this moment
      if (await this.#exists(holder)) {
        throw new EngineError('NAME_TAKEN', { what: 'container', name, by: `container ${holder.slice(0, 12)}` });
      }
      await rm(path, { force: true }); // of a container that a crash has left unfinished
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

  async list(): Promise<readonly ContainerRecord[]> {
    const ids = await this.ids();
    const records = await Promise.all(ids.map((id) => this.read(id)));
    return records.filter((each) => each !== undefined).sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
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

  /**
   * The container that a user means: a name, an id, or the beginning of an id.
   *
   * @throws EngineError `NO_SUCH_CONTAINER`, `AMBIGUOUS_CONTAINER`.
   */
  async resolve(reference: string): Promise<ContainerRecord> {
    const named = namePattern.test(reference) ? await readText(join(this.layout.names(), reference)) : undefined;
    const found = named === undefined ? undefined : await this.read(named);
    if (found !== undefined) return found;
    const matches = /^[0-9a-f]{1,64}$/.test(reference)
      ? (await this.ids()).filter((id) => id.startsWith(reference))
      : [];
    const [first] = matches;
    if (first === undefined) throw new EngineError('NO_SUCH_CONTAINER', { reference });
    if (matches.length > 1) throw new EngineError('AMBIGUOUS_CONTAINER', { reference, matches });
    const record = await this.read(first);
    if (record === undefined) throw new EngineError('NO_SUCH_CONTAINER', { reference });
    return record;
  }

  async prepareDirectories(): Promise<void> {
    await mkdir(this.layout.containers(), { recursive: true, mode: 0o711 });
    await mkdir(this.layout.names(), { recursive: true, mode: 0o700 });
  }

  async #exists(id: string): Promise<boolean> {
    return (await this.ids()).includes(id);
  }
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

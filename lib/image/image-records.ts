import { statSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, splitDigest } from '../core/digest.js';
import { EngineError } from '../core/errors/engine-error.js';
import { limits } from '../core/limits.js';
import { formatReference, parseReference } from '../core/reference.js';
import { writeFileAtomically } from '../util/atomic-file.js';
import { isMissing } from '../util/file-error.js';
import { decodeImageRecord, type ImageRecord } from './image-record.js';

/** The names of images here: one file each, named after a hash of the name. An image without a name has its id as such. */
export class ImageRecords {
  /** What was read last from each file, and what that file was: a record is looked up for every container. */
  readonly #read = new Map<string, { readonly version: string; readonly record: ImageRecord }>();

  constructor(private readonly directory: string) {}

  async save(image: ImageRecord): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    await writeFileAtomically(this.#path(image.name), JSON.stringify(image));
  }

  async find(name: string): Promise<ImageRecord | undefined> {
    return this.#load(this.#path(name));
  }

  /** All of them, by name. */
  async list(): Promise<readonly ImageRecord[]> {
    const files = await readdir(this.directory).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    const records = await Promise.all(
      files.filter((file) => file.endsWith('.json')).map((file) => this.#load(join(this.directory, file))),
    );
    return records.filter((each) => each !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * The image that a user means: a reference, or an id or the beginning of one (4 digits at least).
   *
   * @throws EngineError `NO_SUCH_IMAGE`, `AMBIGUOUS_IMAGE`, `INVALID_REFERENCE`.
   */
  async resolve(text: string): Promise<ImageRecord> {
    const found = await this.search(text);
    if (found === undefined) throw new EngineError('NO_SUCH_IMAGE', { reference: text });
    return found;
  }

  /** The same, but undefined when there is none. @throws EngineError `AMBIGUOUS_IMAGE`, `INVALID_REFERENCE`. */
  async search(text: string): Promise<ImageRecord | undefined> {
    const prefix = /^(?:sha256:)?([0-9a-f]{4,64})$/.exec(text)?.[1];
    const isId = text.startsWith('sha256:') || prefix?.length === 64;
    const named = isId ? undefined : await this.find(formatReference(parseReference(text)));
    if (named !== undefined) return named;
    const matches = prefix === undefined ? [] : (await this.list()).filter((each) => hexOf(each).startsWith(prefix));
    const [first] = matches;
    if (first !== undefined && matches.some((each) => each.id !== first.id)) {
      throw new EngineError('AMBIGUOUS_IMAGE', {
        reference: text,
        matches: [...new Set(matches.map((each) => each.id))],
      });
    }
    return first;
  }

  /** Removing what is not there is fine. */
  async remove(name: string): Promise<void> {
    await rm(this.#path(name), { force: true });
  }

  #path(name: string): string {
    return join(this.directory, `${splitDigest(digestOf(name))[1]}.json`);
  }

  async #load(path: string): Promise<ImageRecord | undefined> {
    const version = versionOf(path);
    const known = this.#read.get(path);
    if (version !== undefined && known?.version === version) return known.record;
    this.#read.delete(path);
    if (version === undefined) return undefined;
    let json: string;
    try {
      json = await readFile(path, 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    if (json.length > limits.recordBytes)
      throw new EngineError('TOO_LARGE', { what: path, maxBytes: limits.recordBytes });
    const record = decodeImageRecord(json, path);
    // Records are replaced by a rename: a file that is still the same afterwards was the one that was read.
    if (versionOf(path) === version) this.#read.set(path, { version, record });
    return record;
  }
}

/** Changes with every replacement of a file; undefined when it is missing. */
function versionOf(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats && `${stats.ino} ${stats.mtimeNs} ${stats.ctimeNs} ${stats.size}`;
}

const hexOf = (image: ImageRecord): string => splitDigest(image.id)[1];

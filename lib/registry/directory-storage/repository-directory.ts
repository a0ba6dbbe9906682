import { mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type Decoded,
  type Decoder,
  decodeJson,
  integer,
  literal,
  mapOf,
  optional,
  record,
  text,
} from '../../core/decode.js';
import type { Descriptor } from '../../core/descriptor.js';
import { type Digest, isDigest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { isRepositoryName, isTag } from '../../core/reference.js';
import { syncDirectory, writeFileAtomically } from '../../util/atomic-file.js';
import { isMissing, onFile } from '../../util/file-error.js';

/** What a repository consists of; the names cannot be parts of a repository's name. */
type Kind = '_blobs' | '_manifests' | '_tags' | '_referrers';

const digest: Decoder<Digest> = (value, path) => {
  const decoded = text(value, path);
  if (!isDigest(decoded)) throw new EngineError('CORRUPT_RECORD', { path, expected: 'a digest' });
  return decoded;
};

const tagRecord = record({ version: literal(1), digest });

const manifestRecord = record({
  version: literal(1),
  mediaType: text,
  size: integer,
  subject: optional(digest),
  /** For lists of referrers. */
  artifactType: optional(text),
  annotations: optional(mapOf(text)),
});

/** What is written down of a manifest. */
export type ManifestRecord = Omit<Decoded<typeof manifestRecord>, 'version'>;

/** One repository as files below its directory: `_blobs/sha256-HEX`, `_manifests/sha256-HEX`, `_tags/TAG@`. */
export class RepositoryDirectory {
  readonly #path: string;

  /** @param root of all repositories. */
  constructor(root: string, name: string) {
    // The server has checked it; a path is made of it all the same.
    if (!isRepositoryName(name)) throw new TypeError('not the name of a repository');
    this.#path = join(root, name);
  }

  async exists(): Promise<boolean> {
    return (await this.#modified(join(this.#path, '_manifests'))) !== undefined;
  }

  async linkBlob(blob: Digest): Promise<void> {
    await this.#write('_blobs', fileOf(blob), '');
  }

  /** When the blob was put here, in milliseconds; undefined when it was not. */
  blobLinkedAt(blob: Digest): Promise<number | undefined> {
    return this.#modified(this.#file('_blobs', fileOf(blob)));
  }

  /** Makes the blob as if it had been put here now. */
  async renewBlob(blob: Digest, now: Date): Promise<void> {
    const path = this.#file('_blobs', fileOf(blob));
    await onFile(path, () => utimes(path, now, now));
  }

  unlinkBlob(blob: Digest): Promise<boolean> {
    return this.#remove('_blobs', fileOf(blob));
  }

  blobs(): Promise<readonly Digest[]> {
    return this.#digests('_blobs');
  }

  async writeManifest(manifest: Digest, content: ManifestRecord): Promise<void> {
    await this.#write('_manifests', fileOf(manifest), JSON.stringify({ version: 1, ...content }));
    if (content.subject !== undefined) await this.#write('_referrers', referrerFile(content.subject, manifest), '');
  }

  async manifest(manifest: Digest): Promise<ManifestRecord | undefined> {
    return this.#read('_manifests', fileOf(manifest), manifestRecord);
  }

  async removeManifest(manifest: Digest): Promise<boolean> {
    const content = await this.manifest(manifest);
    if (content === undefined) return false;
    if (content.subject !== undefined) await this.#remove('_referrers', referrerFile(content.subject, manifest));
    return this.#remove('_manifests', fileOf(manifest));
  }

  manifests(): Promise<readonly Digest[]> {
    return this.#digests('_manifests');
  }

  async setTag(tag: string, manifest: Digest): Promise<void> {
    await this.#write('_tags', fileOfTag(tag), JSON.stringify({ version: 1, digest: manifest }));
  }

  async tag(tag: string): Promise<Digest | undefined> {
    return (await this.#read('_tags', fileOfTag(tag), tagRecord))?.digest;
  }

  removeTag(tag: string): Promise<boolean> {
    return this.#remove('_tags', fileOfTag(tag));
  }

  async tags(): Promise<readonly string[]> {
    const names = await namesIn(join(this.#path, '_tags'));
    return names
      .filter((name) => name.endsWith('@'))
      .map((name) => name.slice(0, -1))
      .filter(isTag)
      .sort();
  }

  async referrers(subject: Digest): Promise<readonly Descriptor[]> {
    const names = await namesIn(this.#file('_referrers', fileOf(subject)));
    const found = [...names]
      .sort()
      .map(digestOfFile)
      .filter((each) => each !== undefined);
    const described = await Promise.all(found.map((each) => this.#describe(each)));
    return described.filter((each) => each !== undefined);
  }

  /** Removes files that were never finished, and were begun before `before`. */
  async removeUnfinished(before: number): Promise<void> {
    for (const kind of ['_blobs', '_manifests', '_tags', '_referrers'] as const) {
      const directory = join(this.#path, kind);
      for (const name of (await namesIn(directory)).filter((each) => each.endsWith('.tmp'))) {
        const modified = await this.#modified(join(directory, name));
        if (modified !== undefined && modified < before) await this.#remove(kind, name);
      }
    }
  }

  async #describe(manifest: Digest): Promise<Descriptor | undefined> {
    const content = await this.manifest(manifest);
    if (content === undefined) return undefined;
    const { mediaType, size, artifactType, annotations } = content;
    return {
      mediaType,
      digest: manifest,
      size,
      ...(artifactType !== undefined && { artifactType }),
      ...(annotations !== undefined && { annotations }),
    };
  }

  #file(kind: Kind, name: string): string {
    return join(this.#path, kind, name);
  }

  async #write(kind: Kind, name: string, content: string): Promise<void> {
    const path = this.#file(kind, name);
    await onFile(path, async () => {
      const first = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFileAtomically(path, content);
      if (first !== undefined) await syncDirectory(this.#path);
    });
  }

  async #remove(kind: Kind, name: string): Promise<boolean> {
    const path = this.#file(kind, name);
    try {
      await rm(path);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      return onFile(path, () => Promise.reject(error));
    }
  }

  async #read<T>(kind: Kind, name: string, decoder: Decoder<T>): Promise<T | undefined> {
    const path = this.#file(kind, name);
    try {
      return decodeJson(await readFile(path, 'utf8'), decoder, path);
    } catch (error) {
      if (isMissing(error)) return undefined;
      return onFile(path, () => Promise.reject(error));
    }
  }

  async #digests(kind: Kind): Promise<readonly Digest[]> {
    const names = await namesIn(join(this.#path, kind));
    return names.map(digestOfFile).filter((each) => each !== undefined);
  }

  async #modified(path: string): Promise<number | undefined> {
    try {
      return (await stat(path)).mtimeMs;
    } catch (error) {
      if (isMissing(error)) return undefined;
      return onFile(path, () => Promise.reject(error));
    }
  }
}

/** The names of all repositories below `root` that have (had) one of these, in the order of their bytes. */
export async function repositoryNames(root: string, kinds: readonly Kind[]): Promise<readonly string[]> {
  const found: string[] = [];
  const pending = [''];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const names = await namesIn(join(root, name));
    if (names.some((each) => kinds.some((kind) => kind === each))) found.push(name);
    const below = names.filter((each) => !each.startsWith('_')).map((each) => (name === '' ? each : `${name}/${each}`));
    pending.push(...below.filter(isRepositoryName));
  }
  return found.sort();
}

const fileOf = (of: Digest): string => of.replace(':', '-');

const referrerFile = (subject: Digest, manifest: Digest): string => join(fileOf(subject), fileOf(manifest));

/** Ends with what no tag has, so that a file that was not finished is none. */
const fileOfTag = (tag: string): string => `${tag}@`;

function digestOfFile(name: string): Digest | undefined {
  const of = name.replace('-', ':');
  return isDigest(of) ? of : undefined;
}

async function namesIn(path: string): Promise<readonly string[]> {
  return onFile(path, async () => {
    try {
      return await readdir(path);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  });
}

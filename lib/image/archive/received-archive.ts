import { posix } from 'node:path';
import type { BlobInfo, ContentStore } from '../../content/content-store.js';
import { type Digest, isDigest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { type TarMember, tarMembers } from './tar-members.js';

/** As many links as a path may lead through. */
const maxLinks = 8;

/** The files of an archive, each a blob of the content store by now. Nothing of it was ever a path of the host. */
export class ReceivedArchive {
  readonly #files = new Map<string, BlobInfo>();
  readonly #links = new Map<string, string>();

  private constructor(private readonly content: ContentStore) {}

  /**
   * Reads an uncompressed archive to its end.
   *
   * @throws EngineError `INVALID_ARCHIVE`, `DIGEST_MISMATCH` naming the member, `NO_SPACE`.
   */
  static async receive(
    content: ContentStore,
    source: AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<ReceivedArchive> {
    const archive = new ReceivedArchive(content);
    for await (const member of tarMembers(source)) await archive.#add(member, signal);
    return archive;
  }

  has(path: string): boolean {
    return this.#files.has(path) || this.#links.has(path);
  }

  /**
   * The blob that a document of the archive calls `path`.
   *
   * @throws EngineError `INVALID_ARCHIVE` when it is not in the archive.
   */
  blob(path: string): BlobInfo {
    let place = posix.normalize(path);
    for (let links = 0; links <= maxLinks; links += 1) {
      if (place.startsWith('/') || place.startsWith('../')) throw invalid(path, 'it leaves the archive');
      const file = this.#files.get(place);
      if (file !== undefined) return file;
      const target = this.#links.get(place);
      if (target === undefined) throw invalid(path, 'it is named, but not in the archive');
      place = posix.normalize(target);
    }
    throw invalid(path, 'its links lead nowhere');
  }

  /** The content of a small file. @throws EngineError `INVALID_ARCHIVE`, `TOO_LARGE` naming it. */
  async read(path: string, maxBytes: number): Promise<Uint8Array> {
    const { digest, size } = this.blob(path);
    if (size > maxBytes) throw new EngineError('TOO_LARGE', { what: `archive, '${path.slice(0, 300)}',`, maxBytes });
    return this.content.readBytes(digest, maxBytes);
  }

  async #add(member: TarMember, signal: AbortSignal | undefined): Promise<void> {
    const { path, type, target } = member;
    signal?.throwIfAborted();
    if (type === 'directory') return;
    if (type === 'other') throw invalid(path, 'it is neither a file nor a directory nor a link');
    if (type === 'link') {
      if (isBlobPath(path)) throw invalid(path, 'a blob must be a file');
      if (this.has(path)) throw invalid(path, 'it is there twice');
      this.#links.set(path, target);
      return;
    }
    const blob = await this.#store(member, signal);
    // The same content once more does no harm; of two contents nobody could say which one is meant.
    if (this.#links.has(path) || (this.#files.get(path)?.digest ?? blob.digest) !== blob.digest) {
      throw invalid(path, 'it is there twice');
    }
    this.#files.set(path, blob);
  }

  async #store({ path, content }: TarMember, signal: AbortSignal | undefined): Promise<BlobInfo> {
    const expected = digestInPath(path);
    if (expected === undefined) return this.content.putStream(content, { signal });
    await using writer = await this.content.write();
    for await (const chunk of content) {
      signal?.throwIfAborted();
      await writer.append(chunk);
    }
    try {
      return await writer.commit(expected);
    } catch (error) {
      if (!EngineError.is(error, 'DIGEST_MISMATCH')) throw error;
      throw new EngineError('DIGEST_MISMATCH', { ...error.data, what: `archive, '${path}'` });
    }
  }
}

const isBlobPath = (path: string): boolean => path.startsWith('blobs/');

/** A name that says what its content is: a blob of an OCI layout, a configuration as Docker names it. */
function digestInPath(path: string): Digest | undefined {
  const [, algorithm, hex] = /^blobs\/([a-z0-9]+)\/([0-9a-f]+)$/.exec(path) ?? [];
  const [, configHex] = /^([0-9a-f]{64})\.json$/.exec(path) ?? [];
  const digest = configHex === undefined ? `${algorithm}:${hex}` : `sha256:${configHex}`;
  return isDigest(digest) ? digest : undefined;
}

const invalid = (entry: string, reason: string): EngineError =>
  new EngineError('INVALID_ARCHIVE', { entry: entry.slice(0, 300), reason });

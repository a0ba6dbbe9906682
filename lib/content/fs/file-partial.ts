import type { FileHandle } from 'node:fs/promises';
import { onFile } from '../../util/file-error.js';
import type { PartialBlob } from '../receive-blob.js';
import { readChunks } from './read-chunks.js';
import { writeFully } from './write-fully.js';

/** A partial download in a file that the caller has locked. */
export class FilePartial implements PartialBlob {
  readonly #file: FileHandle;
  readonly #path: string;
  #size: number;

  private constructor(file: FileHandle, path: string, size: number) {
    this.#file = file;
    this.#path = path;
    this.#size = size;
  }

  static async of(file: FileHandle, path: string): Promise<FilePartial> {
    return new FilePartial(file, path, (await onFile(path, () => file.stat())).size);
  }

  get size(): number {
    return this.#size;
  }

  read(): AsyncIterable<Uint8Array> {
    return readChunks(this.#file, this.#path);
  }

  async append(bytes: Uint8Array): Promise<void> {
    await writeFully(this.#file, bytes, this.#path);
    this.#size += bytes.byteLength;
  }

  async clear(): Promise<void> {
    await onFile(this.#path, () => this.#file.truncate(0));
    this.#size = 0;
  }
}

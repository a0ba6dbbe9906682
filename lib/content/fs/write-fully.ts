import type { FileHandle } from 'node:fs/promises';
import { onFile } from '../../util/file-error.js';

/** Appends all of `bytes`: write(2) may take less, at the latest when a disk is full. */
export async function writeFully(file: FileHandle, bytes: Uint8Array, path: string): Promise<void> {
  for (let written = 0; written < bytes.byteLength; ) {
    const { bytesWritten } = await onFile(path, () => file.write(bytes, written, bytes.byteLength - written));
    written += bytesWritten;
  }
}

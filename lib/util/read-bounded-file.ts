import { open } from 'node:fs/promises';
import { hasErrno } from './errno.js';

/**
 * The beginning of a file, at most `maxBytes`: for files of /proc, whose size nobody knows and whose content may be made by
 * somebody hostile. Undefined when it does not exist (any more).
 */
export async function readBoundedFile(path: string, maxBytes: number): Promise<Buffer | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      const buffer = Buffer.allocUnsafe(maxBytes);
      let size = 0;
      while (size < maxBytes) {
        const { bytesRead } = await file.read(buffer, size, maxBytes - size, null);
        if (bytesRead === 0) break;
        size += bytesRead;
      }
      return buffer.subarray(0, size);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

import { opendir } from 'node:fs/promises';
import { isMissing, onFile } from '../../util/file-error.js';

/** Names in a directory, in order; none when it is not there. */
export async function namesIn(directory: string): Promise<readonly string[]> {
  return onFile(directory, async () => {
    try {
      const names: string[] = [];
      for await (const entry of await opendir(directory)) names.push(entry.name);
      return names.sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  });
}

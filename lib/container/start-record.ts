import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isMissing } from '../util/file-error.js';
import type { ContainerFiles } from './container-files.js';

/**
 * Takes away what an earlier run of a container has left: without it the container counts as never started. Returns how
 * to undo that, should the next run not begin.
 */
export function clearStartRecord(files: ContainerFiles): () => void {
  const earlier = [files.process, files.exit].map((path) => ({ path, content: readOptional(path) }));
  for (const { path } of earlier) rmSync(path, { force: true });
  return () => {
    for (const { path, content } of earlier) {
      if (content === undefined) rmSync(path, { force: true });
      else writeFileSync(path, content, { mode: 0o600 });
    }
  };
}

function readOptional(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

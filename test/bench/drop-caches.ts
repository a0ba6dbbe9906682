import { writeFile } from 'node:fs/promises';
import { runChecked } from '../helpers/run-checked.js';

/** Writes back and forgets the page cache, so that a run does not pay or profit from what the run before it cached. */
export async function dropCaches(): Promise<void> {
  await runChecked('sync', []);
  await writeFile('/proc/sys/vm/drop_caches', '3');
}

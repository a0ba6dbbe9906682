import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A directory that goes with the test. */
export async function scopedDirectory(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tscontainer-test-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

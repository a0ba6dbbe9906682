import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where things are kept that are dear to make and the same in every run. The runner hands the same place to all files. */
export function testCache(): string {
  return process.env.TSCONTAINER_TEST_CACHE ?? join(tmpdir(), `tscontainer-test-cache-${process.getuid?.() ?? 0}`);
}

/**
 * Returns the directory of that name in the cache, and makes it first when it is absent: `make` fills an empty directory
 * that becomes the cached one by a rename. Processes that want the same thing at the same time wait for the first one.
 */
export async function cached(name: string, make: (directory: string) => Promise<void>): Promise<string> {
  const cache = testCache();
  const target = join(cache, name);
  if (existsSync(target)) return target;
  await mkdir(cache, { recursive: true, mode: 0o755 });
  await using _lock = await lock(join(cache, `${name}.lock`));
  if (existsSync(target)) return target;
  const unfinished = join(cache, `${name}.unfinished`);
  await rm(unfinished, { recursive: true, force: true }); // of a process that was killed
  await mkdir(unfinished);
  await make(unfinished);
  await rename(unfinished, target);
  return target;
}

/** Held by a child that ends when its standard input does: the kernel releases the lock with this process. */
async function lock(path: string): Promise<AsyncDisposable> {
  const holder = spawn('flock', [path, 'sh', '-c', 'echo locked; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(holder, 'close');
  await Promise.race([
    once(holder.stdout, 'data'),
    ended.then(() => Promise.reject(new Error(`flock ${path} failed`))),
  ]);
  holder.stdout.resume();
  return {
    async [Symbol.asyncDispose]() {
      holder.stdin.end();
      await ended;
    },
  };
}

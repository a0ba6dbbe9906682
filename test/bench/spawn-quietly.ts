import { type ChildProcess, spawn } from 'node:child_process';

/** Runs a program without reading its output, as cheaply as Node can; fails when it does not exit with 0 (its messages show). */
export function spawnQuietly(program: string, args: readonly string[]): Promise<void> {
  return ended(spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] }), program, args);
}

/** Runs a program and returns the number of bytes that it wrote to its standard output. */
export async function countOutput(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  let bytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await ended(child, program, args);
  return bytes;
}

function ended(child: ChildProcess, program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${program} ${args.join(' ')} ended with ${signal ?? code}`));
    });
  });
}

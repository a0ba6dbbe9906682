import { spawn } from 'node:child_process';

const MAX_OUTPUT = 64 * 1024;

/** Runs criu to its end; after an abort it is killed. What it prints is bounded. */
export function runCriu(
  program: string,
  options: readonly string[],
  environment: readonly string[],
  signal: AbortSignal | undefined,
): Promise<{ readonly code: number | string; readonly output: string }> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const env = Object.fromEntries(environment.map((each) => each.split('=', 2)));
    const child = spawn(program, options, { stdio: ['ignore', 'pipe', 'pipe'], env, cwd: '/' });
    const kill = (): void => void child.kill('SIGKILL');
    signal?.addEventListener('abort', kill, { once: true });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(0, MAX_OUTPUT);
      });
    child.once('error', (error) => {
      signal?.removeEventListener('abort', kill);
      reject(error);
    });
    child.once('close', (code, killedBy) => {
      signal?.removeEventListener('abort', kill);
      resolve({ code: code ?? killedBy ?? 'unknown', output });
    });
  });
}

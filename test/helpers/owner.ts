import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ContainerOptions, EngineOptions } from 'tscontainer';

/** Another process that uses an engine of its own. */
export interface Owner extends AsyncDisposable {
  readonly pid: number;
  readonly containers: readonly { readonly id: string; readonly pid: number }[];
  /** Ends it with SIGKILL and waits until it is gone. */
  kill(): Promise<void>;
}

/** Starts the process; resolves when its containers run. */
export async function startOwner(
  options: EngineOptions,
  containers: readonly ContainerOptions[],
  run?: { readonly image: string; readonly command: readonly string[] },
): Promise<Owner> {
  const program = fileURLToPath(new URL('owner-program.js', import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify({ options, containers, run })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await closed;
  };
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([
    once(lines, 'line'),
    closed.then(() => Promise.reject(new Error('the owner has ended before its containers ran'))),
  ])) as [string];
  return { pid: child.pid ?? 0, containers: JSON.parse(line), kill, [Symbol.asyncDispose]: kill };
}

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';

/** System calls that fail. @see strace(1), "Tampering" */
export interface FailingCalls {
  /** Names; one with `?` in front need not exist on this architecture. */
  readonly calls: readonly string[];
  /** With which errno. */
  readonly error: string;
  /** Which of the calls of a process, from 1. Default: all. */
  readonly when?: string;
}

/**
 * Makes system calls fail in the idle shims of this process's engines, and in what they fork from now on: in the
 * supervisor and the process on its way to become the program.
 */
export async function withFailingCalls<T>({ calls, error, when }: FailingCalls, action: () => Promise<T>): Promise<T> {
  const pids = await idleShims();
  assert.ok(pids.length > 0, 'an engine has started something before');
  const list = calls.join(',');
  const child = spawn(
    'strace',
    [
      ...['--follow-forks', '--output=/dev/null', `--trace=${list}`],
      `--inject=${list}:error=${error}${when === undefined ? '' : `:when=${when}`}`,
      ...pids.map((pid) => `--attach=${pid}`),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const closed = once(child, 'close');
  try {
    await attached(child.stderr, pids.length);
    return await action();
  } finally {
    child.kill('SIGTERM'); // it lets go of all
    await closed;
  }
}

/** Those that wait for work, as opposed to those that have a container. */
async function idleShims(): Promise<number[]> {
  const found: number[] = [];
  const visit = async (pid: number): Promise<void> => {
    for (const child of await childrenOf(pid)) {
      if ((await readFile(`/proc/${child}/comm`, 'utf8').catch(() => '')).startsWith('tscontainer')) {
        if (!(await childrenOf(child)).length || (await isServer(child))) found.push(child);
      }
      await visit(child);
    }
  };
  await visit(process.pid);
  return found;
}

const isServer = async (pid: number): Promise<boolean> =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')[1] === 'serve';

async function childrenOf(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

/** Resolves when strace has said so for each process. What it says later is of no interest, but must be taken. */
function attached(output: NodeJS.ReadableStream, count: number): Promise<void> {
  let text = '';
  return new Promise((resolve, reject) => {
    output.on('data', (chunk) => {
      text += String(chunk);
      if (text.split(' attached').length > count) resolve();
    });
    output.on('end', () => reject(new Error(`strace has ended: ${text}`)));
  });
}

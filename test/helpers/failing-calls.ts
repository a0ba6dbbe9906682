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
 * Makes system calls fail in the shims of this process's engines, and in what they fork from now on: in supervisors and
 * in processes on their way to become a program.
 */
export async function withFailingCalls<T>({ calls, error, when }: FailingCalls, action: () => Promise<T>): Promise<T> {
  const pids = await shims();
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

/** All below this process: one that makes supervisors, one that stands by, and those that have a container. */
async function shims(): Promise<number[]> {
  const found: number[] = [];
  const visit = async (pid: number): Promise<void> => {
    for (const child of await childrenOf(pid)) {
      const name = await readFile(`/proc/${child}/comm`, 'utf8').catch(() => '');
      if (name.startsWith('tscontainer')) found.push(child);
      await visit(child);
    }
  };
  await visit(process.pid);
  return found;
}

async function childrenOf(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

/**
 * Resolves when strace has said of each process that it is attached or gone: one that has just done its work may be. What
 * it says later is of no interest, but must be taken.
 */
function attached(output: NodeJS.ReadableStream, count: number): Promise<void> {
  let text = '';
  return new Promise((resolve, reject) => {
    output.on('data', (chunk) => {
      text += String(chunk);
      if ([...text.matchAll(/ attached|attach: ptrace/g)].length >= count) resolve();
    });
    output.on('end', () => reject(new Error(`strace has ended: ${text}`)));
  });
}

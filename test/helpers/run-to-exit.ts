import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProgramResult } from './run-program.js';

export interface RunToExitOptions {
  readonly cwd?: string;
  /** Descriptors that the program gets as 3, 4, … */
  readonly inherited?: readonly number[];
  /** Gives it a terminal, made by script(1); what is shown there is its standard output. Default false. */
  readonly terminal?: boolean;
  /** The beginning of the command line: a program that runs the program. Default: none. */
  readonly prefix?: readonly string[];
}

/** A `prefix` that makes these system calls wait, and so the moments between look and use long. @see strace(1) */
export const slowed = (calls: readonly string[], delayMs: number): readonly string[] => {
  const list = calls.join(',');
  const options = ['--follow-forks', '--seccomp-bpf', '--output=/dev/null', `--trace=${list}`];
  return ['strace', ...options, `--inject=${list}:delay_enter=${delayMs * 1000}`];
};

/**
 * Runs a program to its end, and not to that of its output, which a container that was left running keeps open: so the
 * output goes to files.
 */
export async function runToExit(
  program: string,
  args: readonly string[],
  { cwd, inherited = [], terminal = false, prefix = [] }: RunToExitOptions = {},
): Promise<ProgramResult> {
  const directory = await mkdtemp(join(tmpdir(), 'tsc-output-'));
  const [out, err] = [join(directory, 'out'), join(directory, 'err')];
  const [outFile, errFile] = [await open(out, 'w'), await open(err, 'w')];
  try {
    const command = [...prefix, program, ...args];
    const [file = program, ...words] = terminal ? inTerminal(command) : command;
    const child = spawn(file, words, { cwd, stdio: ['ignore', outFile.fd, errFile.fd, ...inherited] });
    const [exitCode, signal] = (await once(child, 'exit')) as [number | null, string | null];
    return { exitCode, signal, stdout: await readFile(out, 'utf8'), stderr: await readFile(err, 'utf8') };
  } finally {
    await outFile.close();
    await errFile.close();
    await rm(directory, { recursive: true, force: true });
  }
}

const inTerminal = (command: readonly string[]): readonly string[] => {
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  return ['script', '--quiet', '--return', '--command', quoted.join(' '), '/dev/null'];
};

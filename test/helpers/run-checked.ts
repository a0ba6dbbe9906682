import { spawn } from 'node:child_process';

export interface RunCheckedOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Written to standard input, which is empty otherwise. */
  readonly input?: string | Uint8Array;
}

/** Runs a program to its end and returns what it printed; fails with its messages when it exits with another code than 0. */
export async function runChecked(
  program: string,
  args: readonly string[],
  options: RunCheckedOptions = {},
): Promise<string> {
  const child = spawn(program, args, { cwd: options.cwd, env: options.env ?? process.env, stdio: 'pipe' });
  const output: Buffer[] = [];
  const messages: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => messages.push(chunk));
  child.stdin.on('error', () => {}); // a program may end without reading all of it: its exit code says what that means
  child.stdin.end(options.input);
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve(exitCode ?? signal ?? -1));
  });
  if (code === 0) return Buffer.concat(output).toString();
  const tail = Buffer.concat([...output, ...messages])
    .toString()
    .slice(-2_000);
  throw new Error(`${program} ${args.join(' ')} ended with ${code}\n${tail}`);
}

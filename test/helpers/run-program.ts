import { execFile } from 'node:child_process';

export interface ProgramResult {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a host program to its end; a failure of the program is a result. Ends it after a minute. */
export function runProgram(file: string, args: readonly string[], cwd?: string): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const options = { timeout: 60_000, maxBuffer: 64 * 1024 * 1024, ...(cwd !== undefined && { cwd }) };
    const child = execFile(file, args, options, (_error, stdout, stderr) => {
      resolve({ exitCode: child.exitCode, signal: child.signalCode, stdout, stderr });
    });
  });
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openEngineLab } from '../helpers/engine-lab.js';
import { runChecked } from '../helpers/run-checked.js';

export interface FailedWritesOptions {
  /** Names of errnos. */
  readonly errors: readonly ('ENOSPC' | 'EMFILE' | 'ENOMEM' | 'EIO')[];
  /** Default: all. */
  readonly operations?: readonly string[];
  /** Only that call of each operation. Default: each in turn. */
  readonly at?: number;
  readonly onFinding?: (line: string) => void;
}

export interface FailedWritesReport {
  /** How many calls were made to fail, one at a time. */
  readonly cases: number;
  /** What did not hold, a line each. */
  readonly findings: readonly string[];
}

const program = fileURLToPath(new URL('failed-writes-program.js', import.meta.url));
const source = fileURLToPath(new URL('../../../test/fixtures/failing-files.c', import.meta.url));

/**
 * Makes each call of an operation that opens or changes a file of the engine fail, one after the other. The operation fails
 * with a typed error or does what it should; another engine works, and everything can be removed.
 */
export async function failedWrites(options: FailedWritesOptions): Promise<FailedWritesReport> {
  await using lab = await openEngineLab();
  const image = lab.image();
  await lab.engine.images.pull(image);
  const library = join(lab.directory, 'failing-files.so');
  await runChecked('cc', ['-O1', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', source, '-o', library]);
  const { operations, at } = options;
  const errors = options.errors.map((name) => [name, constants.errno[name]]);
  const wanted = { options: lab.options, directory: lab.directory, image, errors, operations, at };
  const child = spawn(process.execPath, [program, JSON.stringify(wanted), library], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, LD_PRELOAD: library },
  });
  const closed = once(child, 'close');
  const findings: string[] = [];
  let cases = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const found = JSON.parse(line) as { readonly cases?: number };
    if (found.cases !== undefined) cases = found.cases;
    else {
      findings.push(line);
      options.onFinding?.(line);
    }
  }
  const [exitCode, signal] = await closed;
  if (exitCode !== 0) findings.push(`the program has ended with ${exitCode} ${signal}`);
  return { cases, findings };
}

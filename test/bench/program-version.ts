import { runChecked } from '../helpers/run-checked.js';

/** The first line of `PROGRAM --version`, or undefined when there is no such program. */
export async function programVersion(program: string): Promise<string | undefined> {
  try {
    return (await runChecked(program, ['--version'])).trim().split('\n')[0];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

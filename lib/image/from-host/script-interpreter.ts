import { open } from 'node:fs/promises';
import { basename } from 'node:path';

/** The kernel reads no more of the first line. @see BINPRM_BUF_SIZE in linux/binfmts.h */
const lineBytes = 256;

/**
 * The programs that a script's first line asks for: the interpreter, and for env(1) the program that it looks up. Empty
 * for a file that is no script.
 *
 * @see execve(2), "Interpreter scripts"
 */
export async function scriptInterpreter(path: string): Promise<readonly string[]> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(lineBytes), 0, lineBytes, 0);
    const [line = ''] = buffer.toString('latin1', 0, bytesRead).split('\n');
    const [interpreter, ...words] = line.startsWith('#!')
      ? line
          .slice(2)
          .trim()
          .split(/[ \t]+/)
      : [];
    if (interpreter === undefined || !interpreter.startsWith('/')) return [];
    const program = words.find((word) => !word.startsWith('-') && !word.includes('='));
    return basename(interpreter) === 'env' && program !== undefined ? [interpreter, program] : [interpreter];
  } finally {
    await file.close();
  }
}

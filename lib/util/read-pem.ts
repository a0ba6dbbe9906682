import { readFile } from 'node:fs/promises';
import { EngineError } from '../core/errors/engine-error.js';

const maxBytes = 4 * 1024 * 1024;

/**
 * The PEM text that an option holds, or the file that it names.
 *
 * @throws EngineError `INVALID_OPTION` naming `option`, for what is neither; its message shows no text, which may be a key.
 */
export async function readPem(value: string, option: string): Promise<string> {
  const refuse = (got: string, cause?: unknown): never => {
    const expected = 'PEM text, or the absolute path of a PEM file';
    throw new EngineError('INVALID_OPTION', { option, expected, got }, { cause });
  };
  if (value.includes('-----BEGIN ')) return value;
  if (!value.startsWith('/')) return refuse('something else');
  let text = '';
  try {
    text = await readFile(value, 'utf8');
  } catch (error) {
    return refuse(`${value} (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`, error);
  }
  if (text.length > maxBytes || !text.includes('-----BEGIN ')) return refuse(`${value}, which holds no PEM`);
  return text;
}

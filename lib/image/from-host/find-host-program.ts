import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';

/**
 * The absolute path of a program: itself if absolute, else the first executable file of that name in `searchPath`.
 *
 * @throws EngineError `HOST_PROGRAM_NOT_FOUND`.
 */
export async function findHostProgram(program: string, searchPath: string): Promise<string> {
  const candidates = isAbsolute(program)
    ? [program]
    : program === '' || program.includes('/')
      ? []
      : searchPath
          .split(':')
          .filter(isAbsolute)
          .map((directory) => join(directory, program));
  for (const path of candidates) if (await isExecutableFile(path)) return path;
  throw new EngineError('HOST_PROGRAM_NOT_FOUND', {
    program: program.slice(0, 200),
    searched: isAbsolute(program) ? 'the host, as an executable file' : searchPath,
  });
}

async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

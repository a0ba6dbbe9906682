import { readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { isMissing } from '../util/file-error.js';

/** The files of a log; native/src/log.h says what they hold. */
export interface LogTarget {
  /** Absolute path that all of them begin with. 16 hex digits follow: where the file begins in the log. */
  readonly prefix: string;
  /** A file gets no further record beyond this. */
  readonly maxBytes: number;
  /** Older ones are removed. 1 to 127. */
  readonly maxFiles: number;
}

/** Path of the file that begins at a position. */
export const logFile = (prefix: string, position: bigint): string =>
  `${prefix}${position.toString(16).padStart(16, '0')}`;

/** Positions of the files that there are now, rising. */
export function logFiles(prefix: string): readonly bigint[] {
  const start = basename(prefix);
  const positions: bigint[] = [];
  for (const name of namesIn(dirname(prefix))) {
    const digits = name.slice(start.length);
    if (name.startsWith(start) && /^[0-9a-f]{16}$/.test(digits)) positions.push(BigInt(`0x${digits}`));
  }
  return positions.sort((a, b) => (a < b ? -1 : 1));
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

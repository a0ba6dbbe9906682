import { readFileSync } from 'node:fs';

/** A record of the supervisor: one line of whole numbers. */
export function numbersIn(path: string): readonly bigint[] {
  return readFileSync(path, 'latin1').trim().split(' ').map(BigInt);
}

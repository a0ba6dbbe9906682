import { architectureFacts, type SeccompArchitecture } from './architecture.js';

/** The system calls of one architecture. */
export interface SyscallTable {
  readonly numbers: ReadonlyMap<string, number>;
  /** The highest number that kernels count up to; ARM's private calls, far above, are not meant. */
  readonly highest: number;
}

/** ARM keeps its private calls from here on. @see arch/arm/include/uapi/asm/unistd.h in the kernel */
const armPrivate = 0x0f_0000;

/**
 * Reads the table of an architecture: names in the order of their numbers, with `=N` before a name that does not
 * follow its predecessor.
 */
export function syscallTable(architecture: SeccompArchitecture): SyscallTable {
  const numbers = new Map<string, number>();
  let next = 0;
  let highest = 0;
  for (const word of architectureFacts[architecture].syscalls.trim().split(/\s+/)) {
    if (word.startsWith('=')) {
      next = Number(word.slice(1));
      continue;
    }
    numbers.set(word, next);
    if (architecture !== 'arm' || next < armPrivate) highest = next;
    next += 1;
  }
  return { numbers, highest };
}

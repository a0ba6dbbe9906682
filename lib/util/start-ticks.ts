import { readFileSync } from 'node:fs';

/**
 * When a process was started, in clock ticks since boot: with the pid it identifies a process for ever. Undefined when
 * there is no such process, or only its zombie. @see proc(5), /proc/PID/stat, field 22
 */
export function startTicksOf(pid: number): bigint | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined; // no such process, or one that ended while being read
  }
  // The name in parentheses may itself hold parentheses and spaces; what follows the last one is plain.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : BigInt(fields[19] ?? 0);
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The process that supervises a running container, of an engine with this run directory. */
export function supervisorOf(runRoot: string, id: string): number {
  return Number(readFileSync(join(runRoot, 'containers', id, 'process'), 'utf8').split(' ')[2]);
}

/** How many descriptors a process has open. */
export const openDescriptors = (pid: number | 'self'): number => readdirSync(`/proc/${pid}/fd`).length;

/** Proportional set size: private memory and its part of what is shared. @see proc(5), smaps_rollup */
export function memoryOf(pid: number): number {
  const [, kilobytes = ''] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')) ?? [];
  return Number(kilobytes) * 1024;
}

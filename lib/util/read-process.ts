import { readBoundedFile } from './read-bounded-file.js';

/** What the kernel tells of one process. @see proc(5), /proc/PID/stat, /proc/PID/status, /proc/PID/cmdline */
export interface ProcessSnapshot {
  readonly pid: number;
  readonly parentPid: number;
  /** Its number in each PID namespace that it is in, ours first. */
  readonly pids: readonly number[];
  /** At most 15 bytes, as the process has set it. */
  readonly name: string;
  /** A letter: `R` runs, `S` sleeps, `D` waits for a device, `T` is stopped, `Z` has ended … */
  readonly state: string;
  /** Effective. */
  readonly uid: number;
  readonly gid: number;
  readonly threads: number;
  /** In the program and in the kernel, without its children. */
  readonly cpuMs: number;
  readonly residentBytes: number;
  /** Since boot. */
  readonly startTicks: bigint;
  /** The beginning of its arguments, as the process has set them. */
  readonly command: readonly string[];
}

/** USER_HZ, which is the same on all architectures that this package supports. @see sysconf(3), _SC_CLK_TCK */
export const TICKS_PER_SECOND = 100;
const FILE_BYTES = 8192;

/** Undefined when there is no such process (any more). `maxCommandBytes` of the arguments are read. */
export async function readProcess(pid: number, maxCommandBytes: number): Promise<ProcessSnapshot | undefined> {
  const read = (file: string, maxBytes = FILE_BYTES) => readBoundedFile(`/proc/${pid}/${file}`, maxBytes);
  const [stat, status, command] = await Promise.all([read('stat'), read('status'), read('cmdline', maxCommandBytes)]);
  if (stat === undefined || status === undefined || stat.length === 0) return undefined;
  // The name in parentheses may itself hold parentheses and spaces; what follows the last one is plain.
  const end = stat.lastIndexOf(')');
  const name = stat.subarray(stat.indexOf('(') + 1, end).toString('utf8');
  const fields = stat.toString('latin1', end + 2).split(' ');
  const numbers = (key: string): number[] => {
    const line = new RegExp(`^${key}:\\s*(\\d[\\d\\s]*?)(?: kB)?$`, 'm').exec(status.toString('latin1'))?.[1] ?? '';
    return line.split(/\s+/).filter(Boolean).map(Number);
  };
  return {
    pid,
    parentPid: Number(fields[1]),
    pids: numbers('NSpid'),
    name,
    state: fields[0] ?? '',
    uid: numbers('Uid')[1] ?? 0,
    gid: numbers('Gid')[1] ?? 0,
    threads: Number(fields[17]),
    cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND,
    residentBytes: (numbers('VmRSS')[0] ?? 0) * 1024,
    startTicks: BigInt(fields[19] ?? 0),
    command: argumentsOf(command),
  };
}

/** Each argument ends with a NUL; the last one may be cut. */
function argumentsOf(bytes: Buffer | undefined): readonly string[] {
  if (bytes === undefined || bytes.length === 0) return [];
  return bytes.toString('utf8').replace(/\0$/, '').split('\0');
}

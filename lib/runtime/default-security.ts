import { defaultPath } from '../core/environment.js';

/**
 * What every container gets unless told otherwise, as plain data: the same lists as Docker's, with the reason for each.
 */

/** Kernel file systems inside a container, in the order of mounting. */
export interface DefaultMount {
  readonly target: string;
  readonly type: 'proc' | 'tmpfs' | 'devpts' | 'sysfs' | 'cgroup' | 'mqueue';
  readonly source: string;
  readonly flags: readonly MountFlag[];
  /** The file system's own options, the `data` argument of mount(2). */
  readonly data: string;
}

/** @see mount(2) */
export type MountFlag = 'nosuid' | 'noexec' | 'nodev' | 'ro' | 'strictatime';

/** Size of /dev/shm in bytes. */
export const defaultShmBytes = 64 * 1024 * 1024;

export const defaultMounts: readonly DefaultMount[] = [
  { target: '/proc', type: 'proc', source: 'proc', flags: ['nosuid', 'noexec', 'nodev'], data: '' },
  { target: '/dev', type: 'tmpfs', source: 'tmpfs', flags: ['nosuid', 'strictatime'], data: 'mode=755,size=65536k' },
  {
    target: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    flags: ['nosuid', 'noexec'],
    data: 'newinstance,ptmxmode=0666,mode=0620,gid=5',
  },
  { target: '/sys', type: 'sysfs', source: 'sysfs', flags: ['nosuid', 'noexec', 'nodev', 'ro'], data: '' },
  { target: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', flags: ['nosuid', 'noexec', 'nodev', 'ro'], data: '' },
  { target: '/dev/mqueue', type: 'mqueue', source: 'mqueue', flags: ['nosuid', 'noexec', 'nodev'], data: '' },
  {
    target: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    flags: ['nosuid', 'noexec', 'nodev'],
    data: `mode=1777,size=${defaultShmBytes}`,
  },
];

/** A device node in /dev, all of them `mode` 0666 and owned by root. */
export interface DefaultDevice {
  readonly path: string;
  readonly type: 'char' | 'block';
  readonly major: number;
  readonly minor: number;
  readonly mode: number;
}

/** @see OCI runtime-spec, config-linux.md, "Default Devices"; /dev/console and /dev/ptmx are made by other means. */
export const defaultDevices: readonly DefaultDevice[] = [
  { path: '/dev/null', type: 'char', major: 1, minor: 3, mode: 0o666 },
  { path: '/dev/zero', type: 'char', major: 1, minor: 5, mode: 0o666 },
  { path: '/dev/full', type: 'char', major: 1, minor: 7, mode: 0o666 },
  { path: '/dev/random', type: 'char', major: 1, minor: 8, mode: 0o666 },
  { path: '/dev/urandom', type: 'char', major: 1, minor: 9, mode: 0o666 },
  { path: '/dev/tty', type: 'char', major: 5, minor: 0, mode: 0o666 },
];

/** Symbolic links in /dev. @see OCI runtime-spec, config-linux.md, "Default Devices" and runtime-linux.md, "Dev symbolic links" */
export const defaultDeviceLinks: readonly { readonly path: string; readonly target: string }[] = [
  { path: '/dev/ptmx', target: 'pts/ptmx' },
  { path: '/dev/fd', target: '/proc/self/fd' },
  { path: '/dev/stdin', target: '/proc/self/fd/0' },
  { path: '/dev/stdout', target: '/proc/self/fd/1' },
  { path: '/dev/stderr', target: '/proc/self/fd/2' },
  { path: '/dev/core', target: '/proc/kcore' },
];

/** Hidden from the container; a path that the kernel does not have needs no mask. */
const maskedAlways = [
  '/proc/acpi', // power control of the host
  '/proc/asound',
  '/proc/interrupts', // timing side channel on other containers: GHSA-6fw5-f8r9-fgfm
  '/proc/kcore', // memory of the host
  '/proc/keys', // key rings of all users
  '/proc/latency_stats',
  '/proc/sched_debug', // names of processes outside
  '/proc/scsi', // its files can remove disks
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap', // power meters as a side channel: GHSA-jq35-85cj-fj4p
  '/sys/firmware',
];

/**
 * Paths that are hidden. `processors` are the numbers of the host's possible processors: each may have counters of
 * thermal throttling, a side channel like /proc/interrupts.
 */
export function maskedPaths(processors: readonly number[]): readonly string[] {
  return [...maskedAlways, ...processors.map((each) => `/sys/devices/system/cpu/cpu${each}/thermal_throttle`)];
}

/** Readable, because programs read them; not writable, because they act on the whole host. */
export const readonlyPaths: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

export { defaultPath };

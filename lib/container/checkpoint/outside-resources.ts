import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { EngineError } from '../../core/errors/engine-error.js';
import type { StorageLayout } from '../../core/storage-layout.js';
import type { OutsideResources } from '../../runtime/checkpointer.js';
import type { ContainerConfig } from '../container-config.js';
import { containerFiles } from '../container-files.js';

/**
 * What of a running container is not its own.
 *
 * @throws EngineError `CHECKPOINT_UNSUPPORTED` for a mount that no option of the container has made.
 */
export function outsideResources(
  pid: number,
  config: ContainerConfig,
  sources: ReadonlyMap<string, string>,
  id: string,
): OutsideResources {
  const mounts = readMounts(pid).filter((mount) => isOutside(mount, config));
  for (const { target } of mounts) {
    if (sources.has(target)) continue;
    throw new EngineError('CHECKPOINT_UNSUPPORTED', { id, reason: `${target} is mounted from an unknown place` });
  }
  return {
    mounts: [...new Set(mounts.map(({ target }) => target))],
    ...(config.network !== 'host' && { network: numberOf(readlinkSync(`/proc/${pid}/ns/net`)) }),
    streams: ([0, 1, 2] as const).flatMap((fd) => streamOf(pid, fd)),
  };
}

/**
 * Where on the host everything comes from that may be mounted in a container from outside, by target. It is from the
 * container's options, never from what a checkpoint says.
 */
export function outsideSources(
  layout: StorageLayout,
  id: string,
  config: ContainerConfig,
  cgroups: ReadonlyMap<string, string>,
  maskedPaths: readonly string[],
): ReadonlyMap<string, string> {
  const files = containerFiles(layout, id);
  return new Map([
    ...maskedPaths.map((path) => [path, '/dev/null'] as const),
    ...cgroups,
    ['/etc/resolv.conf', files.resolvConf],
    ['/etc/hostname', files.hostname],
    ['/etc/hosts', files.hosts],
    ...config.mounts.flatMap(({ type, target, source }) => (type === 'bind' ? [[target, source ?? ''] as const] : [])),
  ]);
}

export interface Mount {
  readonly target: string;
  readonly type: string;
  /** Which directory or file of the file system it shows. */
  readonly shown: string;
  /** Attributes of the mount: `ro`, `nosuid`, … */
  readonly attributes: readonly string[];
}

/** The rest (its root, /proc, /dev, memory) is made again with the processes. */
function isOutside({ target, type, shown }: Mount, { mounts }: ContainerConfig): boolean {
  if (target === '/') return false;
  if (type === 'cgroup' || type === 'cgroup2') return true;
  if (type === 'tmpfs' && shown === '/null') return true; // what masks a file
  if (mounts.some((mount) => mount.type === 'bind' && `${target}/`.startsWith(`${mount.target}/`))) return true;
  return !['proc', 'sysfs', 'tmpfs', 'devpts', 'mqueue'].includes(type);
}

/** @see proc(5), /proc/PID/mountinfo */
export function readMounts(pid: number): Mount[] {
  const lines = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , shown = '', target = '', attributes = ''] = before.split(' ');
    return {
      target: withoutEscapes(target),
      shown: withoutEscapes(shown),
      type: after.split(' ')[0] ?? '',
      attributes: attributes.split(','),
    };
  });
}

const withoutEscapes = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

const numberOf = (link: string): number => Number(/\d+/.exec(link)?.[0]);

/** Its other end is the supervisor's, or it is /dev/null of the host. What the program itself has opened is its own. */
function streamOf(pid: number, fd: 0 | 1 | 2): OutsideResources['streams'] {
  const path = `/proc/${pid}/fd/${fd}`;
  const target = linkOf(path);
  if (target?.startsWith('pipe:') === true) return [{ fd, name: target }];
  if (target !== '/dev/null') return [];
  const mount = /^mnt_id:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1];
  const own = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').split('\n');
  if (mount === undefined || own.some((line) => line.startsWith(`${mount} `))) return [];
  return [{ fd, name: `file[${Number(mount).toString(16)}:${statSync(path).ino.toString(16)}]` }];
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // closed by the program
  }
}

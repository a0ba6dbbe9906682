import { readFileSync, realpathSync, statSync } from 'node:fs';
import type { RootMount } from '../core/mount.js';
import type { StorageLayout } from '../core/storage-layout.js';
import type { MountOperation } from '../runtime/launch-plan.js';
import { invalidOption } from './invalid-option.js';

/** Files of the host as the root of a container, with no image at all. */
export type RootfsOption =
  /**
   * All that the host has installed, as a sandbox sees it: read-only below, with a layer in memory above that takes what the
   * program writes and is gone with it. /tmp and /run are empty, other file systems of the host are read-only, and this
   * engine's own directories are hidden. The program reads whatever its user may: give it a `user`.
   */
  | { readonly host: true }
  /**
   * A directory that holds a root file system. What is written goes to a layer of the container's own; with `direct`, into
   * the directory itself.
   */
  | { readonly path: string; readonly direct?: boolean };

/** A {@link RootfsOption} with everything decided. */
export interface RootfsConfig {
  readonly host?: boolean;
  /** Absolute, without links. */
  readonly path: string;
  readonly direct?: boolean;
}

/** @throws EngineError `INVALID_OPTION`. */
export function resolveRootfs(option: RootfsOption | undefined): { readonly rootfs?: RootfsConfig } {
  if (option === undefined) return {};
  if ('host' in option) {
    if (option.host === true && Object.keys(option).length === 1) return { rootfs: { host: true, path: '/' } };
    throw invalidOption('rootfs', '{ host: true } or { path, direct }', option);
  }
  const { path, direct = false, ...others } = option;
  if (typeof path !== 'string' || typeof direct !== 'boolean' || Object.keys(others).length > 0)
    throw invalidOption('rootfs', '{ host: true } or { path, direct }', option);
  if (!path.startsWith('/') || !statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw invalidOption('rootfs.path', 'an absolute path of a directory', path);
  const real = realpathSync(path);
  if (real === '/') throw invalidOption('rootfs.path', 'another directory than /, which is { host: true }', path);
  return { rootfs: { path: real, ...(direct && { direct }) } };
}

/** The root of such a container, whose own directories are below `directory`. */
export function rootfsMount({ path, direct }: RootfsConfig, directory: string, volatile: boolean): RootMount {
  if (direct === true) return { type: 'bind', source: path };
  // The kernel refuses an overlay whose upper directory is inside a lower one.
  const isInside = path === '/' || `${realpathSync(directory)}/`.startsWith(`${path}/`);
  if (isInside) return { type: 'overlay', lower: [path], upper: '', work: '', volatile, inMemory: true };
  return { type: 'overlay', lower: [path], upper: `${directory}/upper`, work: `${directory}/work`, volatile };
}

/** Mounted anew, or not for a sandbox: what is in them is the host's business. */
const ownPlaces = ['/proc', '/sys', '/dev', '/run', '/tmp'];
const ordinary = new Set([
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'zfs',
  'f2fs',
  'erofs',
  'squashfs',
  'iso9660',
  'nfs',
  'nfs4',
]);

/** The host's other file systems, read-only, and empty places where a sandbox may write. */
export function hostMounts(rootfs: RootfsConfig | undefined, layout: StorageLayout): readonly MountOperation[] {
  if (rootfs?.host !== true) return [];
  return [
    ...mountsOfHost(layout).map((path): MountOperation => {
      const kind = statSync(path, { throwIfNoEntry: false })?.isDirectory() === false ? 'file' : 'directory';
      return { op: 'bind', source: path, target: path, recursive: false, attributes: ['ro'], kind };
    }),
    ...[['/tmp', '1777'] as const, ['/run', '755'] as const].map(([target, mode]): MountOperation => {
      const options = ['source=tmpfs', `mode=${mode}`];
      return { op: 'mount', type: 'tmpfs', target, options, attributes: ['nosuid', 'nodev'], noLinks: false };
    }),
  ];
}

/** The engine's directories, with the files of other containers in them. */
export function hiddenOnHost(rootfs: RootfsConfig | undefined, layout: StorageLayout): readonly string[] {
  return rootfs?.host === true ? [layout.root, layout.run] : [];
}

/** @see proc(5), /proc/pid/mountinfo */
function mountsOfHost({ root, run }: StorageLayout): readonly string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trimEnd().split('\n');
  const isBelow = (path: string, parent: string): boolean => path === parent || path.startsWith(`${parent}/`);
  return lines.flatMap((line) => {
    const target = (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_all, octal: string) => {
      return String.fromCharCode(Number.parseInt(octal, 8));
    });
    const type = / - (\S+) /.exec(line)?.[1] ?? '';
    const isOwn = target === '/' || [...ownPlaces, root, run].some((each) => isBelow(target, each));
    return isOwn || !ordinary.has(type) ? [] : [target];
  });
}

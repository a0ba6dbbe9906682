import { statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Abortable } from '../../core/abortable.js';
import { EngineError } from '../../core/errors/engine-error.js';
import type { RootView } from '../../layers/root-access.js';
import type { ContainerServices } from '../container-services.js';
import { destinationOf, originOf } from './destination.js';

/** How files are copied. */
export interface CopyOptions extends Abortable {
  /** Files keep their owners. Default false: they belong to root in the container, and to this process' user on the host. */
  readonly archive?: boolean;
  /** A symbolic link at the end of the source is followed. Default false: the link itself is copied. */
  readonly followLink?: boolean;
}

/** The archive of what is at a path: its name is that of the last part of the path. */
export function packFrom(
  services: ContainerServices,
  view: RootView,
  path: string,
  { followLink = false, signal }: CopyOptions,
): AsyncIterable<Uint8Array> {
  const { path: from, name, contents, follow } = originOf(path, followLink);
  return services.rootAccess.pack(view, { path: from, name: contents ? '' : name, follow, signal });
}

/** Copies a file or directory of a container to the host, as `docker cp` does. */
export async function copyToHost(
  services: ContainerServices,
  view: RootView,
  path: string,
  target: string,
  options: CopyOptions,
): Promise<void> {
  const { rootAccess } = services;
  const { archive = false, followLink = false, signal } = options;
  const origin = originOf(path, followLink);
  const { follow } = origin;
  const source = await rootAccess.stat(view, { path: origin.path, follow, signal });
  const host = resolve(target);
  const there = statSync(host, { throwIfNoEntry: false });
  const wanted = destinationOf({
    source: { ...origin, isDirectory: source.type === 'directory' },
    target: { path: target, kind: there === undefined ? 'none' : there.isDirectory() ? 'directory' : 'other' },
  });
  const [directory, name] = wanted.inside === undefined ? [dirname(host), basename(host)] : [host, wanted.inside];
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new EngineError('INVALID_OPTION', {
      option: 'target',
      expected: 'a path in an existing directory',
      got: target,
    });
  const owner = archive ? undefined : { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  const packed = rootAccess.pack(view, { path: origin.path, name, follow, owner, signal });
  await rootAccess.copyIn({ kind: 'tree', directory, binds: [] }, { path: '/', archive: packed, signal });
}

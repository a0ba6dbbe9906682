import { lstatSync, statSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';
import { encodeTarHeader, padToBlock, tarEnd } from '../../image/archive/tar-header.js';
import type { PathStatus, RootView } from '../../layers/root-access.js';
import { abortableIterable } from '../../util/abortable-iterable.js';
import { onlyBytes } from '../../util/only-bytes.js';
import type { ContainerServices } from '../container-services.js';
import { invalidOption } from '../invalid-option.js';
import type { CopyOptions } from './copy-from.js';
import { destinationOf, originOf } from './destination.js';

/** What is copied into a container. */
export type CopySource =
  /** A file or directory of the host. With `/.` at its end, what is in the directory. */
  | string
  /** A file that is made of this. */
  | FileContent
  /** A tar archive, plain; its files go below the target, which must be a directory. */
  | { readonly archive: AsyncIterable<Uint8Array> };

/** A new file. */
export interface FileContent {
  readonly content: string | Uint8Array;
  /** Permission bits. Default 0o644. */
  readonly mode?: number;
  /** Default: root. */
  readonly uid?: number;
  readonly gid?: number;
}

/** Copies into a container, as `docker cp` does. */
export async function copyInto(
  services: ContainerServices,
  view: RootView,
  target: string,
  source: CopySource,
  options: CopyOptions,
): Promise<void> {
  const { signal } = options;
  if (typeof source === 'string') return copyHostPath(services, view, target, source, options);
  if ('archive' in source) {
    const archive = abortableIterable(onlyBytes(source.archive, 'source'), signal);
    return services.rootAccess.copyIn(view, { path: posix.resolve('/', target), archive, signal });
  }
  const there = await statusOf(services, view, target, options);
  if (there?.type === 'directory')
    throw new EngineError('PATH_CONFLICT', { path: target, reason: 'it is a directory' });
  const place = posix.resolve('/', target);
  const archive = fileArchive(posix.basename(place), source);
  await services.rootAccess.copyIn(view, { path: posix.dirname(place), archive, signal });
}

async function copyHostPath(
  services: ContainerServices,
  view: RootView,
  target: string,
  source: string,
  options: CopyOptions,
): Promise<void> {
  const { archive = false, followLink = false, signal } = options;
  const origin = originOf(resolve(source) + (/\/\.?$/.exec(source)?.[0] ?? ''), followLink);
  const { path: host, contents, follow } = origin;
  const status = (follow ? statSync : lstatSync)(host, { throwIfNoEntry: false });
  if (status === undefined || (contents && !status.isDirectory()))
    throw invalidOption('source', 'a file or directory of the host', source);
  const there = await statusOf(services, view, target, options);
  const wanted = destinationOf({
    source: { ...origin, isDirectory: status.isDirectory() },
    target: { path: target, kind: there === undefined ? 'none' : there.type === 'directory' ? 'directory' : 'other' },
  });
  const place = posix.resolve('/', target);
  const [path, name] =
    wanted.inside === undefined ? [posix.dirname(place), posix.basename(place)] : [place, wanted.inside];
  const owner = archive ? undefined : { uid: 0, gid: 0 };
  const tree = { kind: 'tree', directory: posix.dirname(host), binds: [] } as const;
  const packed = services.rootAccess.pack(tree, { path: `/${origin.name}`, name, follow, owner, signal });
  await services.rootAccess.copyIn(view, { path, archive: packed, signal });
}

async function statusOf(
  services: ContainerServices,
  view: RootView,
  path: string,
  { signal }: CopyOptions,
): Promise<PathStatus | undefined> {
  try {
    return await services.rootAccess.stat(view, { path: posix.resolve('/', path), follow: true, signal });
  } catch (error) {
    if (EngineError.is(error, 'NO_SUCH_PATH')) return undefined;
    throw error;
  }
}

async function* fileArchive(name: string, file: FileContent): AsyncGenerator<Uint8Array> {
  const { mode = 0o644, uid = 0, gid = 0 } = file;
  const content = typeof file.content === 'string' ? Buffer.from(file.content) : file.content;
  const mtime = Math.floor(Date.now() / 1000);
  yield* encodeTarHeader({ name, mode, uid, gid, mtime, size: content.length, type: '0' });
  yield padToBlock(content);
  yield tarEnd();
}

import { posix } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';

/** What is copied, and to where. */
export interface CopyPlan {
  readonly source: Pick<CopyOrigin, 'name' | 'contents'> & { readonly isDirectory: boolean };
  readonly target: { readonly path: string; readonly kind: 'none' | 'directory' | 'other' };
}

/** A path that something is copied from. */
export interface CopyOrigin {
  /** Absolute, without `..`: at the root it stays at the root. */
  readonly path: string;
  readonly name: string;
  /** Not the directory, but what is in it: the path ends with `/.`. */
  readonly contents: boolean;
  /** A link at its end is followed: also where a slash says that a directory is meant. */
  readonly follow: boolean;
}

export function originOf(path: string, followLink: boolean): CopyOrigin {
  const clean = posix.resolve('/', path);
  const contents = clean === '/' || /(?:^|\/)\.$/.test(path);
  return { path: clean, name: posix.basename(clean), contents, follow: followLink || contents || path.endsWith('/') };
}

/**
 * Where a copy goes: into the target, a directory, with the name `inside` (`''` for its contents), or, without `inside`, to the
 * target's own path.
 *
 * @throws EngineError `PATH_CONFLICT`, `NO_SUCH_PATH` as `docker cp` refuses it.
 * @see docker cp, "Extended description"
 */
export function destinationOf({ source, target }: CopyPlan): { readonly inside: string | undefined } {
  const { path, kind } = target;
  if (kind === 'directory') return { inside: source.contents ? '' : source.name };
  if (kind === 'none') {
    if (!source.isDirectory && path.endsWith('/')) throw new EngineError('NO_SUCH_PATH', { path });
    return { inside: undefined };
  }
  if (source.isDirectory) throw new EngineError('PATH_CONFLICT', { path, reason: 'it is no directory' });
  return { inside: undefined };
}

import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import type { Abortable } from '../../core/abortable.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { errnoName } from '../../core/errors/errno-name.js';
import type { ChangedRoot, PathStatus, RootAccess, RootChange, RootView } from '../root-access.js';
import { type RunShimOptions, runShim } from './run-shim.js';
import type { ShimFailure, ShimReport } from './shim-report.js';

/**
 * Files in roots by roles of the shim.
 *
 * @param jail an empty directory of the host, in which the roles are confined.
 */
export function createShimRootAccess(shimPath: string, jail: string): RootAccess {
  async function run(words: readonly string[], path: string, options: RunShimOptions): Promise<ShimReport> {
    const report = await runShim(shimPath, words, options);
    if (report.failure !== undefined) throw toPathError(report.failure, path);
    return report;
  }

  /** What a role writes while it runs; a reader that stops ends it. */
  async function* stream(words: readonly string[], path: string, { signal }: Abortable): AsyncGenerator<Uint8Array> {
    const stop = new AbortController();
    const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    let found: (output: Readable) => void = () => undefined;
    const output = new Promise<Readable>((resolve) => {
      found = resolve;
    });
    const ended = run(words, path, { signal: either, onOutput: found });
    ended.catch(() => undefined); // seen below
    try {
      // Without a process there is no output.
      const opened = await Promise.race([output, ended.then(() => undefined)]);
      if (opened !== undefined) yield* opened as AsyncIterable<Uint8Array>;
      await ended;
    } finally {
      stop.abort();
      await ended.catch(() => undefined);
    }
  }

  return {
    pack: (view, { path, name, follow, owner, signal }) => {
      const owned = owner === undefined ? '-' : `${owner.uid}:${owner.gid}`;
      return stream(['pack-tree', path, name, flag(follow), owned, ...wordsOf(view, jail)], path, { signal });
    },
    stat: async (view, { path, follow, signal }) => {
      const { status } = await run(['stat-path', path, flag(follow), ...wordsOf(view, jail)], path, { signal });
      if (status === undefined) throw new EngineError('SHIM_FAILED', { what: 'stat-path without an answer' });
      return parseStatus(status.numbers, status.target);
    },
    copyIn: async (view, { path, archive, signal }) => {
      await run(['copy-in', path, ...wordsOf(view, jail)], path, { input: archive, signal });
    },
    changes: async (root, { signal }) => {
      const { changes } = await run(['list-changes', ...changedWords(root, jail)], '/', { signal });
      return changes.map(({ kind, path }): RootChange => ({ kind: changeKinds[kind], path: `/${utf8(path)}` }));
    },
    packChanges: (root, { signal }) => stream(['pack-changes', ...changedWords(root, jail)], '/', { signal }),
  };
}

const flag = (set: boolean): string => (set ? '1' : '0');

const changeKinds = { a: 'added', c: 'changed', d: 'deleted' } as const;

const utf8 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('utf8');

/** As native/src/view.c reads them. */
function wordsOf(view: RootView, jail: string): readonly string[] {
  if (view.kind === 'process') return [jail, 'process', String(view.process.pid), String(view.process.startTicks)];
  const binds = view.binds.flatMap(({ source, target }) => ['--bind', source, target]);
  if (view.kind === 'layers') return [...binds, jail, 'layers', ...view.directories];
  if (view.kind === 'tree') return [...binds, jail, 'tree', view.directory];
  return [...binds, jail, 'overlay', view.upper, view.work, ...view.lower];
}

const changedWords = ({ kind, directory, below, except }: ChangedRoot, jail: string): readonly string[] => [
  ...[kind, directory, String(except.length), ...except],
  ...wordsOf({ kind: 'layers', directories: below, binds: [] }, jail),
];

/** S_IFMT, shifted. @see inode(7) */
const types: Readonly<Record<number, PathStatus['type']>> = {
  8: 'file',
  4: 'directory',
  10: 'link',
  2: 'character device',
  6: 'block device',
  1: 'fifo',
  12: 'socket',
};

function parseStatus(numbers: string, target: string): PathStatus {
  const [mode = 0, uid = 0, gid = 0, size = 0, seconds = 0, nanoseconds = 0] = numbers.split(' ').map(Number);
  const type = types[mode >> 12] ?? 'file';
  const modifiedAt = new Date(seconds * 1000 + Math.floor(nanoseconds / 1e6));
  return { type, mode: mode & 0o7777, uid, gid, size, modifiedAt, target: type === 'link' ? utf8(target) : undefined };
}

const { errno } = constants;

/** The one place where a failure of these roles becomes an `EngineError`. */
function toPathError(failure: ShimFailure, path: string): EngineError {
  const { errno: code, operation, detail } = failure;
  const entry = utf8(failure.entry);
  const text = utf8(detail);
  if (operation === 'overwrite') {
    const reason = code === errno.EISDIR ? 'it is a directory' : 'it is no directory';
    return new EngineError('PATH_CONFLICT', { path: `/${text}`, reason });
  }
  if (code === errno.EBADMSG) return new EngineError('INVALID_ARCHIVE', { entry, reason: text });
  if (code === errno.ENOSPC || code === errno.EDQUOT) return new EngineError('NO_SPACE', { path });
  const isPath = operation === 'openat2' || operation === 'fstatat' || operation === 'openat';
  if (isPath && (code === errno.ENOENT || code === errno.ENOTDIR || code === errno.ELOOP))
    return new EngineError('NO_SUCH_PATH', { path });
  return new EngineError('SYSTEM_CALL_FAILED', {
    syscall: operation,
    errno: errnoName(code),
    operand: entry === '' || entry === text ? text : `${entry} (${text})`,
    hint: code === errno.EROFS ? 'what is mounted there, or the root of the container, is read-only' : '',
  });
}

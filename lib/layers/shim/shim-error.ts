import { constants } from 'node:os';
import { EngineError } from '../../core/errors/engine-error.js';
import { errnoName } from '../../core/errors/errno-name.js';
import type { ShimFailure } from './shim-report.js';

const { errno } = constants;

/** What an archive can cause by itself: names that do not fit together, too long, looping, out of range. */
const causedByContent: ReadonlySet<number> = new Set([
  errno.EBADMSG,
  errno.ENOENT,
  errno.ENOTDIR,
  errno.EISDIR,
  errno.EEXIST,
  errno.ELOOP,
  errno.ENAMETOOLONG,
  errno.EMLINK,
  errno.EFBIG,
  errno.EINVAL,
  errno.ERANGE,
  errno.E2BIG,
]);

/** Steps that have nothing to do with the content. */
const ownSteps: ReadonlySet<string> = new Set(
  'open unshare mount open_tree move_mount pivot_root umount2 prctl capget capset seccomp fchdir fsconfig syncfs'.split(
    ' ',
  ),
);

const outOfSpace: ReadonlySet<number> = new Set([errno.ENOSPC, errno.EDQUOT]);

/** The one place where a failure of a layer role becomes an `EngineError`. */
export function toLayerError(failure: ShimFailure, layer: string, directory: string): EngineError {
  const { errno: code, operation, detail } = failure;
  const entry = Buffer.from(failure.entry, 'latin1').toString();
  if (operation === 'erofs' && code === errno.EOPNOTSUPP)
    return new EngineError('LAYER_NOT_INDEXABLE', { diffId: layer, reason: detail });
  if (outOfSpace.has(code)) return new EngineError('NO_SPACE', { path: directory });
  if (causedByContent.has(code) && !ownSteps.has(operation)) {
    const reason = code === errno.EBADMSG ? detail : `${operation} ${detail}: ${errnoName(code)}`;
    return new EngineError('INVALID_LAYER', { diffId: layer, entry, reason });
  }
  return new EngineError('SYSTEM_CALL_FAILED', {
    syscall: operation,
    errno: errnoName(code),
    operand: entry === '' ? detail : `${entry} (${detail})`,
    hint: operation === 'mknodat' && code === errno.EPERM ? 'only root of the host can make device nodes' : '',
  });
}

import { EngineError } from '../../core/errors/engine-error.js';
import type { SeccompAction } from './profile.js';

export const EPERM = 1;
export const ENOSYS = 38;

/** @see linux/seccomp.h */
const values: Readonly<Record<SeccompAction, number>> = {
  SCMP_ACT_KILL_PROCESS: 0x8000_0000,
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_TRAP: 0x0003_0000,
  SCMP_ACT_ERRNO: 0x0005_0000,
  SCMP_ACT_NOTIFY: 0x7fc0_0000,
  SCMP_ACT_TRACE: 0x7ff0_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_ALLOW: 0x7fff_0000,
};

/** The kernel answers no larger errno. */
const maxErrno = 4095;

/**
 * What a filter returns for an action.
 *
 * @throws EngineError `INVALID_OPTION` for an unknown action, an errno out of range or one that the action cannot take.
 */
export function actionValue(action: SeccompAction, errno: number | undefined, option: string): number {
  const value = Object.hasOwn(values, action) ? values[action] : undefined;
  if (value === undefined) throw invalid(`${option}.action`, `one of ${Object.keys(values).join(', ')}`, action);
  const takesErrno = action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE';
  if (errno === undefined) return takesErrno ? value + EPERM : value;
  const max = action === 'SCMP_ACT_ERRNO' ? maxErrno : 0xffff;
  if (!takesErrno || !Number.isInteger(errno) || errno < 0 || errno > max) {
    throw invalid(`${option}.errnoRet`, takesErrno ? `0 to ${max}` : `none for ${action}`, String(errno));
  }
  return value + errno;
}

function invalid(option: string, expected: string, got: string): EngineError {
  return new EngineError('INVALID_OPTION', { option, expected, got: String(got).slice(0, 200) });
}

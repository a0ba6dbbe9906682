import { EngineError } from '../core/errors/engine-error.js';
import { errnoName } from '../core/errors/errno-name.js';

/** The typed error of a failed call, with a hint where the errno has one usual cause. */
export function systemCallError(syscall: string, errno: number, operand: string): EngineError<'SYSTEM_CALL_FAILED'> {
  const name = errnoName(errno);
  return new EngineError('SYSTEM_CALL_FAILED', { syscall, errno: name, operand, hint: hints[name] ?? '' });
}

const hints: Readonly<Record<string, string>> = {
  EMFILE: 'this process has too many open files: raise RLIMIT_NOFILE',
  ENFILE: 'the host has too many open files',
  EPERM: 'the caller lacks a capability for this',
};

import { EngineError } from '../../core/errors/engine-error.js';

/** The error for an answer that breaks netlink's own format. */
export function malformed(what: string): EngineError {
  return new EngineError('NETLINK_FAILED', { request: 'read the answer of the kernel', errno: 'EBADMSG', hint: what });
}

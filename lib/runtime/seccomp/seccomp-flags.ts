import { EngineError } from '../../core/errors/engine-error.js';
import type { SeccompProfile } from './profile.js';

/** @see linux/seccomp.h */
const bits: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 1,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 32,
};

/** The `flags` argument of seccomp(2). @throws EngineError `INVALID_OPTION` for an unknown flag. */
export function seccompFlags(profile: SeccompProfile): number {
  let flags = 0;
  for (const each of profile.flags ?? []) {
    const bit = Object.hasOwn(bits, each) ? bits[each] : undefined;
    if (bit === undefined) {
      throw new EngineError('INVALID_OPTION', {
        option: 'seccomp.flags',
        expected: `some of ${Object.keys(bits).join(', ')}`,
        got: String(each).slice(0, 200),
      });
    }
    flags |= bit;
  }
  return flags;
}

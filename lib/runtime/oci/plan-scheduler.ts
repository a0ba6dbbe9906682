import type { PlanOperation } from '../launch-plan.js';
import { invalidConfig } from './invalid-config.js';
import type { OciScheduler } from './oci-process.js';

/** @see sched(7), linux/sched.h */
const policies: Readonly<Record<string, number>> = {
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_ISO: 4,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
};
const flagBits: Readonly<Record<string, bigint>> = {
  SCHED_FLAG_RESET_ON_FORK: 1n,
  SCHED_FLAG_RECLAIM: 2n,
  SCHED_FLAG_DL_OVERRUN: 4n,
  SCHED_FLAG_KEEP_POLICY: 8n,
  SCHED_FLAG_KEEP_PARAMS: 16n,
  SCHED_FLAG_UTIL_CLAMP_MIN: 32n,
  SCHED_FLAG_UTIL_CLAMP_MAX: 64n,
};

const path = 'config.json.process.scheduler';

/** @throws EngineError `INVALID_OCI_CONFIG` for what the kernel would refuse without a word why. */
export function planScheduler(scheduler: OciScheduler): PlanOperation {
  const policy = Object.hasOwn(policies, scheduler.policy) ? policies[scheduler.policy] : undefined;
  if (policy === undefined) return invalidConfig(`${path}.policy`, `unknown policy '${scheduler.policy}'`);
  const flags = (scheduler.flags ?? []).reduce((all, flag) => {
    const bit = Object.hasOwn(flagBits, flag) ? flagBits[flag] : undefined;
    return bit === undefined ? invalidConfig(`${path}.flags`, `unknown flag '${flag}'`) : all | bit;
  }, 0n);
  if (scheduler.policy === 'SCHED_DEADLINE') checkDeadline(scheduler);
  return {
    op: 'scheduler',
    policy,
    nice: scheduler.nice ?? 0,
    priority: scheduler.priority ?? 0,
    flags,
    runtime: scheduler.runtime ?? 0n,
    deadline: scheduler.deadline ?? 0n,
    period: scheduler.period ?? 0n,
  };
}

/** Nanoseconds; the kernel's own bounds. @see sched_setattr(2), __checkparam_dl() in kernel/sched/deadline.c */
const minRuntime = 1024n;
const maxTime = 2n ** 63n - 1n;

function checkDeadline({ runtime, deadline, period }: OciScheduler): void {
  if (runtime === undefined) refuse('requires `runtime`');
  else if (deadline === undefined) refuse('requires `deadline`');
  else if (runtime === 0n) refuse('runtime must be greater than 0');
  else if (runtime < minRuntime || runtime > maxTime)
    refuse(`runtime (${runtime}) must be between ${minRuntime} and ${maxTime}`);
  else if (runtime > deadline) refuse(`runtime (${runtime}) must be <= deadline (${deadline})`);
  else if (period !== undefined && period !== 0n && deadline > period)
    refuse(`deadline (${deadline}) must be <= period (${period})`);
}

function refuse(reason: string): never {
  invalidConfig(path, `sched_setattr: \`SCHED_DEADLINE\` ${reason}`);
}

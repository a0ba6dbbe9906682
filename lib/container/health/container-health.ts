import type { HealthcheckConfig } from './healthcheck-option.js';

/** One run of a health check. */
export interface HealthProbe {
  readonly start: Date;
  readonly end: Date;
  /** 0 is well. -1 when it took too long or could not be started. */
  readonly exitCode: number;
  /** What it has written to stdout and stderr, the first 4096 bytes, or why it could not be started. */
  readonly output: string;
}

/** How well a container is, as its health check has it. */
export interface ContainerHealth {
  /** `starting` before the first success or as many failures as `retries`. What has ended is `unhealthy`. */
  readonly status: 'starting' | 'healthy' | 'unhealthy';
  /** Failures since the last success. */
  readonly failingStreak: number;
  /** The last five results, oldest first. */
  readonly log: readonly HealthProbe[];
}

const LOG_ENTRIES = 5;

/** Before the first probe. */
export const startingHealth: ContainerHealth = { status: 'starting', failingStreak: 0, log: [] };

/** The health after one more probe. */
export function afterProbe(
  health: ContainerHealth,
  probe: HealthProbe,
  { retries, startPeriodMs }: HealthcheckConfig,
  startedAt: Date,
): ContainerHealth {
  const log = [...health.log.slice(1 - LOG_ENTRIES), probe];
  if (probe.exitCode === 0) return { status: 'healthy', failingStreak: 0, log };
  const isExcused = health.status === 'starting' && probe.start.getTime() - startedAt.getTime() < startPeriodMs;
  if (isExcused) return { ...health, log };
  const failingStreak = health.failingStreak + 1;
  return { status: failingStreak >= retries ? 'unhealthy' : health.status, failingStreak, log };
}

/** How long after the last probe, or the start, the next is due. @param ageMs - of the run at that time. */
export function probeDelayMs(
  { status }: ContainerHealth,
  { intervalMs, startPeriodMs, startIntervalMs }: HealthcheckConfig,
  ageMs: number,
): number {
  return status === 'starting' && ageMs < startPeriodMs ? startIntervalMs : intervalMs;
}

import type { ErrorTable } from './error-definition.js';

/** Errors of the test kit: of waiting until a container is ready, and of services that depend on each other. */
export interface ReadinessErrors {
  READY_TIMEOUT: {
    readonly id: string;
    /** What was waited for. */
    readonly waitedFor: string;
    readonly timeoutMs: number;
    /** What was seen the last time. */
    readonly observed: string;
    /** The end of its log. */
    readonly lastLines: readonly string[];
  };
  ENDED_BEFORE_READY: {
    readonly id: string;
    readonly waitedFor: string;
    readonly exitCode: number;
    readonly signal: string | undefined;
    readonly oomKilled: boolean;
    readonly observed: string;
    readonly lastLines: readonly string[];
  };
  /** Its health check has failed as often as it may. */
  UNHEALTHY: { readonly id: string; readonly failingStreak: number; readonly output: string };
  /** The cause is the failure itself. */
  SERVICE_FAILED: { readonly service: string; readonly reason: string };
}

export const readinessErrors: ErrorTable<ReadinessErrors> = {
  READY_TIMEOUT: {
    kind: 'unavailable',
    message: (d) =>
      `container ${d.id} was not ready within ${d.timeoutMs} ms: waited for ${d.waitedFor}; last seen: ${d.observed}${log(d.lastLines)}`,
  },
  ENDED_BEFORE_READY: {
    kind: 'unavailable',
    message: (d) =>
      `container ${d.id} ended with exit code ${d.exitCode}${d.signal === undefined ? '' : ` (${d.signal})`}` +
      `${d.oomKilled ? ', for lack of memory,' : ''} before it was ready: waited for ${d.waitedFor}${log(d.lastLines)}`,
  },
  UNHEALTHY: {
    kind: 'unavailable',
    message: (d) => `container ${d.id} is unhealthy after ${d.failingStreak} failures of its check: ${d.output.trim()}`,
  },
  SERVICE_FAILED: { kind: 'unavailable', message: (d) => `service '${d.service}': ${d.reason}` },
};

const log = (lines: readonly string[]): string =>
  lines.length === 0 ? '; its log is empty' : `; its log ends with:\n${lines.join('\n')}`;

import type { LogRecord } from '../runtime/log-record.js';

/** Which records are wanted. */
export interface LogFilter {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Nanoseconds since 1970, both included. */
  readonly since: bigint | undefined;
  readonly until: bigint | undefined;
}

/** True for output that is wanted, and for gaps in the wanted time. */
export function isWanted({ stream, time }: LogRecord, filter: LogFilter): boolean {
  if (filter.since !== undefined && time < filter.since) return false;
  if (filter.until !== undefined && time > filter.until) return false;
  return stream === 'gap' || filter[stream];
}

/** True for the first record after the wanted time: nothing later is of interest, should clocks have gone back or not. */
export const isBeyond = ({ time }: LogRecord, { until }: LogFilter): boolean => until !== undefined && time > until;

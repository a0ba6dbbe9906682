import type { Abortable } from '../core/abortable.js';
import { invalidOption } from './invalid-option.js';
import type { LogFilter } from './log-filter.js';

/** What of a container's log is wanted. */
export interface LogOptions extends Abortable {
  /** Goes on until the container has ended and everything was read. Default false. */
  readonly follow?: boolean;
  /**
   * Begins with the last so many lines of those that are wanted. What has no line break yet counts as a line, unless its
   * stream has been silent since before the others of these lines. Default: all.
   */
  readonly tail?: number;
  /** Default true. */
  readonly stdout?: boolean;
  /** Default true. A terminal has none: all its output is stdout. */
  readonly stderr?: boolean;
  /** Only what was written at this time or later. Default: from the beginning. */
  readonly since?: Date;
  /** Only what was written at this time or earlier; with `follow`, the end. Default: everything. */
  readonly until?: Date;
  /** Puts the time and a space before each line, like `2024-01-31T12:00:00.123456789Z`. Default false. */
  readonly timestamps?: boolean;
  /**
   * Is called with the number of bytes where output is missing: on a full disk it was not written, or the files that held
   * it were removed by rotation before this reader, who is slow, has come to them. Without this function the latter is an
   * error (`LOG_OVERRUN`), and what a full disk has cost is passed over.
   */
  readonly onLost?: (bytes: number) => void;
}

/** The parts of {@link LogOptions} that choose records. @throws EngineError `INVALID_OPTION`. */
export function checkLogOptions(options: LogOptions): LogFilter {
  const { tail, since, until, onLost } = options;
  for (const option of ['follow', 'stdout', 'stderr', 'timestamps'] as const) {
    const value = options[option];
    if (value !== undefined && typeof value !== 'boolean') throw invalidOption(option, 'true or false', value);
  }
  if (tail !== undefined && (!Number.isSafeInteger(tail) || tail < 0)) {
    throw invalidOption('tail', 'a whole number from 0', tail);
  }
  if (onLost !== undefined && typeof onLost !== 'function') throw invalidOption('onLost', 'a function', onLost);
  return {
    stdout: options.stdout ?? true,
    stderr: options.stderr ?? true,
    since: nanoseconds(since, 'since', 0n),
    until: nanoseconds(until, 'until', 999_999n), // a Date has milliseconds: all of the last one belong to it
  };
}

function nanoseconds(date: Date | undefined, option: string, rest: bigint): bigint | undefined {
  if (date === undefined) return undefined;
  if (!(date instanceof Date) || Number.isNaN(date.getTime())) throw invalidOption(option, 'a valid Date', date);
  return BigInt(date.getTime()) * 1_000_000n + rest;
}

import { appendFileSync, writeSync } from 'node:fs';
import { UsageError } from './usage-error.js';

/** Where messages go. */
export interface Log {
  error(message: string): void;
  warn(message: string): void;
  debug(message: string): void;
}

export interface LogOptions {
  /** A file, or `file:PATH`. Default: stderr alone. */
  readonly target: string | undefined;
  readonly format: string | undefined;
  readonly debug: boolean;
}

/**
 * Errors and warnings always go to stderr, and to the log file as well where one is named.
 *
 * @throws UsageError for an unknown kind of log or format.
 */
export function openLog({ target, format = 'text', debug }: LogOptions): Log {
  if (format !== 'text' && format !== 'json') throw new UsageError(`unknown log format '${format}'`);
  const file = target === undefined ? undefined : fileOf(target);
  const say = (level: string, message: string): void => {
    if (level !== 'debug' || file === undefined) writeSync(2, `${message}\n`);
    if (file === undefined) return;
    const time = new Date().toISOString();
    const line =
      format === 'json' ? JSON.stringify({ msg: message, level, time }) : `time="${time}" level=${level} ${message}`;
    appendFileSync(file, `${line}\n`, { mode: 0o600 });
  };
  return {
    error: (message) => say('error', message),
    warn: (message) => say('warning', message),
    debug: (message) => {
      if (debug) say('debug', message);
    },
  };
}

function fileOf(target: string): string {
  if (target.startsWith('file:')) return target.slice('file:'.length);
  const scheme = /^([a-z]+):/.exec(target)?.[1];
  if (scheme !== undefined) throw new UsageError(`unknown log type '${scheme}': only files are supported`);
  return target;
}

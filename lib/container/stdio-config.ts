import { bool, type Decoder, integer, literal, optional, record } from '../core/decode.js';
import { parseBytes } from '../core/units.js';
import { invalidOption } from './invalid-option.js';
import type { LogFileOptions, StdioOptions, TerminalSize } from './stdio-options.js';

/** A container's standard streams, everything decided. */
export interface StdioConfig {
  /** Without: no terminal. */
  readonly tty?: TerminalSize;
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
  readonly log:
    | { readonly driver: 'none' }
    | { readonly driver: 'files'; readonly maxBytes: number; readonly maxFiles: number };
}

const DEFAULT_SIZE: TerminalSize = { columns: 80, rows: 24 };
const DEFAULT_LOG_BYTES = 20 * 1024 * 1024;
const DEFAULT_LOG_FILES = 5;
/** Twice the largest record, so that files are not cut more finely than reads. */
const MIN_LOG_BYTES = 128 * 1024;
const MAX_LOG_FILES = 100;

const noLog = record({ driver: literal('none') });
const logFiles = record({ driver: literal('files'), maxBytes: integer, maxFiles: integer });

const log: Decoder<StdioConfig['log']> = (value, path) =>
  record({ driver: literal('none', 'files') })(value, path).driver === 'none'
    ? noLog(value, path)
    : logFiles(value, path);

/** Reads a {@link StdioConfig} from its JSON. */
export const stdioConfig: Decoder<StdioConfig> = record({
  tty: optional(record({ columns: integer, rows: integer })),
  openStdin: bool,
  stdinOnce: bool,
  log,
});

/** @throws EngineError `INVALID_OPTION`. */
export function resolveStdio(options: StdioOptions): StdioConfig {
  const tty = options.tty === true ? DEFAULT_SIZE : options.tty;
  const { openStdin = false, stdinOnce = false } = options;
  if (stdinOnce && !openStdin) throw invalidOption('stdinOnce', 'true only with openStdin', 'true');
  return {
    ...(tty !== undefined && tty !== false && { tty: checkSize(tty) }),
    openStdin,
    stdinOnce,
    log: resolveLog(options.log),
  };
}

/** Limits of struct winsize. @throws EngineError `INVALID_OPTION`. @see ioctl_tty(2) */
export function checkSize({ columns, rows }: TerminalSize): TerminalSize {
  for (const [name, value] of Object.entries({ columns, rows })) {
    if (!Number.isInteger(value) || value < 0 || value > 65_535)
      throw invalidOption(`tty.${name}`, '0 to 65535', String(value));
  }
  return { columns, rows };
}

function resolveLog(option: StdioOptions['log'] = {}): StdioConfig['log'] {
  if (option === 'none') return { driver: 'none' };
  const { maxBytes = DEFAULT_LOG_BYTES, maxFiles = DEFAULT_LOG_FILES } =
    typeof option === 'function' ? {} : check(option);
  const bytes = parseBytes(maxBytes, 'log.maxBytes');
  if (bytes < MIN_LOG_BYTES) throw invalidOption('log.maxBytes', `at least ${MIN_LOG_BYTES}`, String(maxBytes));
  if (!Number.isInteger(maxFiles) || maxFiles < 1 || maxFiles > MAX_LOG_FILES) {
    throw invalidOption('log.maxFiles', `a whole number from 1 to ${MAX_LOG_FILES}`, String(maxFiles));
  }
  return { driver: 'files', maxBytes: bytes, maxFiles };
}

function check(option: string | LogFileOptions): LogFileOptions {
  if (typeof option !== 'object') throw invalidOption('log', "'none', { maxBytes, maxFiles } or a function", option);
  for (const name of Object.keys(option)) {
    if (!['maxBytes', 'maxFiles'].includes(name))
      throw invalidOption(`log.${name}`, 'maxBytes or maxFiles', 'another option');
  }
  return option;
}

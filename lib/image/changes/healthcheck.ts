import { EngineError } from '../../core/errors/engine-error.js';
import type { ImageHealthcheck } from '../../core/image-config.js';

/** Go's units of time, in nanoseconds. */
const units: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

const durations: Readonly<Record<string, 'Interval' | 'Timeout' | 'StartPeriod' | 'StartInterval'>> = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
};

/**
 * What HEALTHCHECK says: `NONE`, or flags and `CMD` with a JSON list or a text for the shell.
 *
 * @param listOf - the words of a JSON list; undefined when it is none.
 * @throws EngineError `INVALID_OPTION`.
 * @see https://docs.docker.com/reference/dockerfile/#healthcheck
 */
export function parseHealthcheck(
  text: string,
  listOf: (text: string) => readonly string[] | undefined,
): ImageHealthcheck {
  const [, flags = '', kind = '', command = ''] = /^((?:--\S+\s+)*)(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
  const settings = Object.assign({}, ...flags.split(/\s+/).filter(Boolean).map(parseFlag)) as ImageHealthcheck;
  if (kind.toUpperCase() === 'NONE' && flags === '' && command === '') return { Test: ['NONE'] };
  const words = listOf(command);
  if (kind.toUpperCase() !== 'CMD' || command === '' || words?.length === 0) {
    throw invalid('HEALTHCHECK NONE, or HEALTHCHECK with flags and CMD with a command', text);
  }
  return { Test: words === undefined ? ['CMD-SHELL', command] : ['CMD', ...words], ...settings };
}

function parseFlag(flag: string): ImageHealthcheck {
  const [, name = '', value = ''] = /^--([a-z-]+)=(.+)$/.exec(flag) ?? [];
  if (name === 'retries' && /^\d{1,9}$/.test(value)) return { Retries: Number(value) };
  const key = Object.hasOwn(durations, name) ? durations[name] : undefined;
  const nanoseconds = key === undefined ? undefined : parseDuration(value);
  if (key !== undefined && nanoseconds !== undefined) return { [key]: nanoseconds };
  throw invalid(
    `--${Object.keys(durations).join('=, --')}= with a duration like 1m30s, of 1ms at least, or --retries=`,
    flag,
  );
}

/** 0 is Docker's way to say "the default". @see https://pkg.go.dev/time#ParseDuration */
function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let nanoseconds = 0;
  for (const [, count, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    nanoseconds += Number(count) * (units[unit] ?? 0);
  }
  const rounded = Math.round(nanoseconds);
  return Number.isSafeInteger(rounded) && (rounded === 0 || rounded >= 1e6) ? rounded : undefined;
}

function invalid(expected: string, got: string): EngineError {
  return new EngineError('INVALID_OPTION', { option: 'changes', expected, got: got.slice(0, 200) });
}

import { type Decoder, integer, listOf, record, text } from '../../core/decode.js';
import type { EngineError } from '../../core/errors/engine-error.js';
import type { ImageHealthcheck, ImageRunConfig } from '../../core/image-config.js';
import { LONGEST_TIMER_MS } from '../../util/longest-timer.js';
import { invalidOption } from '../invalid-option.js';

/**
 * How a running container is asked whether it is well. What is left out is taken from the image's HEALTHCHECK, and from the
 * defaults where that says nothing.
 *
 * @see https://docs.docker.com/reference/dockerfile/#healthcheck
 */
export interface HealthcheckOption {
  /**
   * `['CMD', program, ...arguments]`, `['CMD-SHELL', line]` or `['NONE']`. A text is a line for the shell, the text `'NONE'`
   * means none. Exit code 0 is well, any other is not.
   */
  readonly test?: string | readonly string[];
  /** From the end of a probe (and from the start) to the next. Default 30000. */
  readonly intervalMs?: number;
  /** A probe that takes longer has failed; it is killed with all its processes. Default 30000. */
  readonly timeoutMs?: number;
  /** So many failures in a row make the container unhealthy. Default 3. */
  readonly retries?: number;
  /** For so long after the start failures do not count, until a probe succeeds. Default 0. */
  readonly startPeriodMs?: number;
  /** The interval in that time. Default 5000. */
  readonly startIntervalMs?: number;
}

/** A health check with everything decided. */
export interface HealthcheckConfig {
  readonly command: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
}

const NANOSECONDS = 1_000_000;

/** Option, whole numbers from, field of the image, default. */
const numbers = {
  intervalMs: { from: 1, image: 'Interval', fallback: 30_000 },
  timeoutMs: { from: 1, image: 'Timeout', fallback: 30_000 },
  retries: { from: 1, image: 'Retries', fallback: 3 },
  startPeriodMs: { from: 0, image: 'StartPeriod', fallback: 0 },
  startIntervalMs: { from: 1, image: 'StartInterval', fallback: 5000 },
} as const;
type NumberOption = keyof typeof numbers;

/** The option over the image's health check over the defaults; nothing without a test. @throws EngineError `INVALID_OPTION`. */
export function resolveHealthcheck(
  option: HealthcheckOption | undefined,
  image: Pick<ImageRunConfig, 'Healthcheck' | 'Shell'>,
): { readonly healthcheck?: HealthcheckConfig } {
  for (const name of Object.keys(option ?? {})) {
    if (name !== 'test' && !Object.hasOwn(numbers, name))
      throw invalid(name, `one of test, ${Object.keys(numbers).join(', ')}`, name);
  }
  const [given, inherited] = [fromOption(option ?? {}), image.Healthcheck ?? {}];
  const command = commandOf(option?.test, image) ?? commandOfImage(image);
  if (command === undefined || command.length === 0) return {};
  const value = (name: NumberOption): number => given[name] ?? fromImage(inherited, name) ?? numbers[name].fallback;
  return {
    healthcheck: {
      command,
      intervalMs: value('intervalMs'),
      timeoutMs: value('timeoutMs'),
      retries: value('retries'),
      startPeriodMs: value('startPeriodMs'),
      startIntervalMs: value('startIntervalMs'),
    },
  };
}

/** Reads a {@link HealthcheckConfig}. */
export const healthcheckConfig: Decoder<HealthcheckConfig> = record({
  command: listOf(text),
  intervalMs: integer,
  timeoutMs: integer,
  retries: integer,
  startPeriodMs: integer,
  startIntervalMs: integer,
});

function fromOption(option: HealthcheckOption): Partial<Record<NumberOption, number>> {
  const given: Partial<Record<NumberOption, number>> = {};
  for (const name of Object.keys(numbers) as NumberOption[]) {
    const value = option[name];
    if (value === undefined) continue;
    const { from } = numbers[name];
    if (!Number.isInteger(value) || value < from || value > LONGEST_TIMER_MS)
      throw invalid(name, `a whole number from ${from} to ${LONGEST_TIMER_MS}`, value);
    given[name] = value;
  }
  return given;
}

/** 0 means the default there, and so does what makes no sense: the image is not the user's mistake. */
function fromImage(image: ImageHealthcheck, name: NumberOption): number | undefined {
  const value = image[numbers[name].image];
  if (value === undefined || value <= 0) return undefined;
  return Math.min(LONGEST_TIMER_MS, name === 'retries' ? value : Math.max(1, Math.round(value / NANOSECONDS)));
}

/** Undefined when the option leaves it to the image; empty for none. */
function commandOf(test: HealthcheckOption['test'], { Shell }: Pick<ImageRunConfig, 'Shell'>) {
  if (test === undefined) return undefined;
  const command = typeof test === 'string' ? shellForm(test, Shell) : parseTest(test, Shell);
  if (command !== undefined && !command.some((word) => word.includes('\0'))) return command;
  throw invalid('test', "a line for the shell, ['CMD', program], ['CMD-SHELL', line] or ['NONE']", test);
}

function commandOfImage({ Healthcheck, Shell }: Pick<ImageRunConfig, 'Healthcheck' | 'Shell'>) {
  return Healthcheck?.Test === undefined ? undefined : parseTest(Healthcheck.Test, Shell);
}

function shellForm(line: string, shell: readonly string[] | undefined): readonly string[] | undefined {
  return line === 'NONE' ? [] : parseTest(['CMD-SHELL', line], shell);
}

/** Undefined for what is none of the three forms. */
function parseTest(test: readonly string[], shell: readonly string[] | undefined): readonly string[] | undefined {
  if (!Array.isArray(test) || !test.every((word) => typeof word === 'string')) return undefined;
  const [form, ...words] = test as readonly string[];
  if (form === 'NONE' && words.length === 0) return [];
  if (form === 'CMD' && words.length > 0 && words[0] !== '') return words;
  if (form !== 'CMD-SHELL' || words.length !== 1 || words[0] === '') return undefined;
  return [...(shell === undefined || shell.length === 0 ? ['/bin/sh', '-c'] : shell), ...words];
}

const invalid = (option: string, expected: string, got: unknown): EngineError =>
  invalidOption(`healthcheck.${option}`, expected, got);

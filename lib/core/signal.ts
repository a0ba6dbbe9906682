import { EngineError } from './errors/engine-error.js';

const names = [
  ...[
    'HUP',
    'INT',
    'QUIT',
    'ILL',
    'TRAP',
    'ABRT',
    'BUS',
    'FPE',
    'KILL',
    'USR1',
    'SEGV',
    'USR2',
    'PIPE',
    'ALRM',
    'TERM',
  ],
  ...['STKFLT', 'CHLD', 'CONT', 'STOP', 'TSTP', 'TTIN', 'TTOU', 'URG', 'XCPU', 'XFSZ', 'VTALRM', 'PROF', 'WINCH', 'IO'],
  ...['PWR', 'SYS'],
] as const;

const aliases: Readonly<Record<string, number>> = { CLD: 17, POLL: 29, IOT: 6 };

/** As programs see them: glibc keeps the kernel's 32 and 33 for itself. */
const realTimeMin = 34;
const realTimeMax = 64;

/**
 * The number of a signal given as a number, `'9'`, `'KILL'`, `'SIGKILL'` (any case), `'RTMIN+3'` or `'SIGRTMAX-1'`.
 *
 * Numbers are those of Linux on x86 and ARM, whatever the machine that runs this. Range 1 to 64.
 *
 * @throws EngineError `INVALID_OPTION` naming `option`.
 * @see signal(7)
 */
export function parseSignal(signal: number | string, option = 'signal'): number {
  const number = typeof signal === 'number' ? signal : fromText(signal);
  if (!Number.isInteger(number) || number < 1 || number > realTimeMax) {
    throw new EngineError('INVALID_OPTION', {
      option,
      expected: "a signal's name, or its number from 1 to 64",
      got: String(signal).slice(0, 200),
    });
  }
  return number;
}

/** `SIGTERM` for 15, `SIGRTMIN+3` for 37, `SIG32` for the two numbers without a name. */
export function signalName(number: number): string {
  const name = names[number - 1];
  if (name !== undefined) return `SIG${name}`;
  if (number < realTimeMin || number > realTimeMax) return `SIG${number}`;
  return number === realTimeMin ? 'SIGRTMIN' : `SIGRTMIN+${number - realTimeMin}`;
}

function fromText(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  const name = text.toUpperCase().replace(/^SIG/, '');
  const realTime = /^RT(?:MIN(?:\+(\d{1,2}))?|MAX(?:-(\d{1,2}))?)$/.exec(name);
  if (realTime !== null) {
    const number = name.startsWith('RTMIN')
      ? realTimeMin + Number(realTime[1] ?? 0)
      : realTimeMax - Number(realTime[2] ?? 0);
    return number >= realTimeMin && number <= realTimeMax ? number : Number.NaN;
  }
  const index = (names as readonly string[]).indexOf(name);
  return index >= 0 ? index + 1 : Object.hasOwn(aliases, name) ? (aliases[name] ?? Number.NaN) : Number.NaN;
}

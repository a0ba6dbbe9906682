import { EngineError } from './errors/engine-error.js';

const factors: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/**
 * Bytes from a number or from Docker's notation: `'200m'`, `'1.5g'`, `'64kb'`, `'512'`; factors are powers of 1024.
 *
 * @throws EngineError `INVALID_OPTION` naming `option`.
 */
export function parseBytes(value: number | string, option: string): number {
  const bytes = typeof value === 'number' ? value : parseText(value);
  if (!Number.isSafeInteger(bytes) || bytes < 0) {
    throw new EngineError('INVALID_OPTION', {
      option,
      expected: "bytes as a whole number or like '200m'",
      got: String(value),
    });
  }
  return bytes;
}

function parseText(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([bkmgt]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) return Number.NaN;
  return Math.round(Number(match[1]) * (factors[(match[2] ?? '').toLowerCase()] ?? 1));
}

import { invalidConfig } from './invalid-config.js';

/**
 * Parses JSON without losing digits: whole numbers beyond 2^53 become bigints. The specification has such numbers as
 * limits (2^64 - 1) and as arguments of system calls.
 *
 * @throws EngineError `INVALID_OCI_CONFIG` naming `path`.
 */
export function parseExactJson(text: string, path: string): unknown {
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g, (token) =>
    token.startsWith('"') ? token : JSON.stringify(mark + token),
  );
  try {
    return JSON.parse(marked, (_key, value: unknown) =>
      typeof value === 'string' && value.startsWith(mark) ? exact(value.slice(mark.length)) : value,
    );
  } catch (error) {
    return invalidConfig(path, error instanceof Error ? `it is not JSON: ${error.message}` : 'it is not JSON');
  }
}

/** No text of a document begins like this: JSON writes the character as an escape, which is left alone. */
const mark = '\u0000number:';

function exact(digits: string): number | bigint {
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : BigInt(digits);
}

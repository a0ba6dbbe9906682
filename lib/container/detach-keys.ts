import { EngineError } from '../core/errors/engine-error.js';

/** What is typed besides letters. @see Docker's `--detach-keys`; ASCII control characters */
const controls: Readonly<Record<string, number>> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 };

/**
 * The bytes of a key sequence as Docker writes it: single characters and `ctrl-X`, separated by commas; X is a letter or one
 * of `@[\]^_`. An empty text is no sequence.
 *
 * @throws EngineError `INVALID_OPTION`.
 */
export function parseDetachKeys(keys: string): Buffer {
  if (typeof keys !== 'string') throw invalid(String(keys));
  return Buffer.from(keys === '' ? [] : keys.split(',').map((key) => parseKey(key, keys)));
}

function parseKey(key: string, keys: string): number {
  if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0);
  if (key === 'DEL') return 127;
  const [, name = ''] = /^ctrl-(.)$/i.exec(key) ?? [];
  if (/^[a-z]$/i.test(name)) return name.toLowerCase().charCodeAt(0) - 0x60;
  return controls[name] ?? fail(keys);
}

const fail = (keys: string): never => {
  throw invalid(keys);
};

const invalid = (keys: string): EngineError =>
  new EngineError('INVALID_OPTION', {
    option: 'detachKeys',
    expected: "characters and 'ctrl-' with a letter or one of @[\\]^_, separated by commas",
    got: keys.slice(0, 200),
  });

/**
 * Looks for a key sequence in what is typed, wherever it is cut into pieces. What may be its beginning is held back until
 * more is known; when it turns out to be something else, it is passed on.
 */
export class DetachKeyFilter {
  /** How much of the sequence was seen. */
  #seen = 0;

  constructor(private readonly keys: Buffer) {}

  /** What goes on to the program, and whether the sequence was complete: what follows it is dropped. */
  push(bytes: Buffer): { readonly pass: Buffer; readonly detached: boolean } {
    if (this.keys.length === 0) return { pass: bytes, detached: false };
    const typed = Buffer.concat([this.keys.subarray(0, this.#seen), bytes]);
    const found = typed.indexOf(this.keys);
    if (found >= 0) {
      this.#seen = 0;
      return { pass: typed.subarray(0, found), detached: true };
    }
    this.#seen = this.#beginningAtEnd(typed);
    return { pass: typed.subarray(0, typed.length - this.#seen), detached: false };
  }

  /** What was held back, when nothing more is typed. */
  end(): Buffer {
    const rest = this.keys.subarray(0, this.#seen);
    this.#seen = 0;
    return rest;
  }

  /** Length of the longest beginning of the sequence with which the typed bytes end. */
  #beginningAtEnd(typed: Buffer): number {
    let length = Math.min(this.keys.length - 1, typed.length);
    while (length > 0 && !typed.subarray(-length).equals(this.keys.subarray(0, length))) length -= 1;
    return length;
  }
}

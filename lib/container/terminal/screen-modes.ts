/**
 * Follows which modes of a terminal programs have changed (alternate screen, hidden cursor, mouse reports, bracketed paste),
 * to undo those when the programs cannot do it themselves any more.
 *
 * @see xterm's control sequences, DECSET and DECRST; DECKPAM
 */
export class ScreenModes {
  readonly #changed = new Set<number>();
  #keypad = false;
  /** A sequence may be cut into pieces. */
  #tail = '';

  /** Takes note of output on its way to the terminal. */
  see(output: Uint8Array): void {
    const text = this.#tail + Buffer.from(output.buffer, output.byteOffset, output.byteLength).toString('latin1');
    for (const [, modes, action, keypad] of text.matchAll(SEQUENCE)) {
      if (keypad !== undefined) this.#keypad = keypad === '=';
      else for (const mode of (modes ?? '').split(';')) this.#set(Number(mode), action === 'h');
    }
    const last = text.lastIndexOf('\x1b');
    this.#tail = last >= 0 && UNFINISHED.test(text.slice(last, last + LONGEST)) ? text.slice(last) : '';
  }

  /** What has to be written so that the terminal is as it was; empty when nothing was changed. */
  undo(): string {
    const sequences = [...this.#changed].map((mode) => `\x1b[?${mode}${on.has(mode) ? 'h' : 'l'}`);
    if (sequences.length > 0) sequences.push('\x1b[0m');
    return (this.#keypad ? '\x1b>' : '') + sequences.join('');
  }

  #set(mode: number, value: boolean): void {
    if (!on.has(mode) && !off.has(mode)) return;
    if (value === on.has(mode)) this.#changed.delete(mode);
    else this.#changed.add(mode);
  }
}

/** On in a fresh terminal: lines wrap, the cursor is seen. */
const on: ReadonlySet<number> = new Set([7, 25]);
/** Off in a fresh terminal: cursor keys, mouse reports, focus reports, alternate screens, bracketed paste. */
const off: ReadonlySet<number> = new Set([1, 9, 47, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1047, 1049, 2004]);

const LONGEST = 64;
const SEQUENCE = /\x1b(?:\[\?([\d;]{1,60})([hl])|([=>]))/g;
const UNFINISHED = /^\x1b(?:\[(?:\?[\d;]{0,60})?)?$/;

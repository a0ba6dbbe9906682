import type { ReadStream } from 'node:tty';

/** Signals that end a program which does not handle them. */
const deadly = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const;

/**
 * A terminal in raw mode: keys are bytes, none of them a signal. It is left by {@link RawTerminal.leave}, and however this
 * process ends, except by SIGKILL; while it is stopped (SIGTSTP), the terminal is as before.
 */
export class RawTerminal {
  readonly #wasRaw: boolean;
  readonly #listeners: ReadonlyMap<NodeJS.Signals, () => void>;
  #raw = false;

  /**
   * @param input - the terminal.
   * @param reset - makes the screen as it was; called synchronously.
   * @param resumed - called when the process goes on after a stop.
   */
  constructor(
    private readonly input: Pick<ReadStream, 'isRaw' | 'setRawMode' | 'on' | 'off'>,
    private readonly reset: () => void,
    private readonly resumed: () => void,
  ) {
    this.#wasRaw = input.isRaw;
    this.#listeners = new Map<NodeJS.Signals, () => void>([
      ...deadly.map((signal) => [signal, () => this.#end(signal)] as const),
      ['SIGTSTP', () => this.#stop()],
      ['SIGCONT', () => this.#continue()],
    ]);
    process.on('exit', this.#onExit);
    for (const [signal, listener] of this.#listeners) process.on(signal, listener);
    this.#set(true);
  }

  /** Safe to call twice. */
  leave(): void {
    process.off('exit', this.#onExit);
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
    this.#restore();
  }

  readonly #onExit = (): void => this.#restore();

  #restore(): void {
    if (!this.#raw) return;
    this.#set(false);
    this.reset();
  }

  #set(raw: boolean): void {
    this.#raw = raw;
    // A terminal that has gone needs no restoring, and who reads from it is told.
    const ignore = (): void => undefined;
    this.input.on('error', ignore);
    try {
      this.input.setRawMode(raw || this.#wasRaw);
    } finally {
      this.input.off('error', ignore);
    }
  }

  /** What other listeners make of a signal is theirs: if they end the process, `exit` restores. */
  #end(signal: NodeJS.Signals): void {
    if (process.listenerCount(signal) > 1) return;
    this.leave();
    process.kill(process.pid, signal);
  }

  /** The listener has replaced the stop, so it is made up for by the stop that cannot be caught. */
  #stop(): void {
    this.#restore();
    process.kill(process.pid, 'SIGSTOP');
  }

  #continue(): void {
    this.#set(true);
    this.resumed();
  }
}

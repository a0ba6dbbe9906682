import type { Readable, Writable } from 'node:stream';
import type { Abortable } from '../core/abortable.js';
import type { ExitStatus } from '../core/exit-status.js';
import { parseSignal } from '../core/signal.js';
import type { LaunchedProcess } from '../runtime/launcher.js';
import { awaitExit } from './await-process.js';
import { checkSize } from './stdio-config.js';
import type { TerminalSize } from './stdio-options.js';

/** A process in a container whose streams this program holds. */
export class ContainerProcess {
  readonly #process: LaunchedProcess;

  /** @internal */
  constructor(process: LaunchedProcess) {
    this.#process = process;
  }

  /** On the host. */
  get pid(): number {
    return this.#process.identity.pid;
  }

  /** End it to give the process its end of file. */
  get stdin(): Writable | undefined {
    return this.#process.stdin;
  }

  /** With a terminal: all of its output. */
  get stdout(): Readable | undefined {
    return this.#process.stdout;
  }

  /** Undefined with a terminal. */
  get stderr(): Readable | undefined {
    return this.#process.stderr;
  }

  /**
   * How the process ends. Safe before and after its end, and as often as wanted. An abort ends the waiting, not the
   * process.
   */
  wait(options: Abortable = {}): Promise<ExitStatus> {
    return awaitExit(this.#process, options.signal);
  }

  /**
   * Sends a signal; false when the process has ended.
   *
   * @param signal - a name or number. Default SIGKILL.
   */
  kill(signal: string | number = 'SIGKILL'): boolean {
    return this.#process.signal(parseSignal(signal));
  }

  /** Tells the terminal its new size. */
  resize(size: TerminalSize): void {
    const { columns, rows } = checkSize(size);
    this.#process.resize(columns, rows);
  }

  /** Kills the process and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.signal(9);
    await this.wait();
  }
}

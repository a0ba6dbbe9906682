import { PassThrough } from 'node:stream';
import type { ExitStatus } from '../../core/exit-status.js';
import { Deferred } from '../../util/deferred.js';
import type { AttachmentStart } from '../attachment.js';
import type { LaunchOptions, ServedOutput } from '../launcher.js';
import { MemoryLog } from './memory-log.js';

/** Somebody who is attached. */
export interface MemoryAttacher {
  /** Resolves when the program may go on. */
  give(stream: 'stdout' | 'stderr', bytes: Buffer): Promise<void>;
  tellExit(exit: ExitStatus): void;
}

/** What a supervisor does for a process whose output it serves: the log, attachers, their input. */
export class MemoryService {
  readonly terminal: boolean;
  /** What the program reads; undefined when it gets no input. */
  readonly input: PassThrough | undefined;
  readonly #once: boolean;
  readonly #log: MemoryLog | undefined;
  readonly #held = new Deferred<void>();
  readonly #attached = new Set<MemoryAttacher>();

  constructor(
    request: LaunchOptions,
    output: ServedOutput,
    private readonly onResize: (columns: number, rows: number) => void,
  ) {
    this.terminal = request.terminal;
    this.input = request.stdin.startsWith('attached') ? new PassThrough() : undefined;
    this.input?.on('error', () => undefined);
    this.#once = request.stdin === 'attached-once' && !request.terminal;
    this.#log = output.log && new MemoryLog(output.log);
    if (output.hold !== true) this.#held.resolve();
  }

  proceed(): void {
    this.#held.resolve();
  }

  resize(columns: number, rows: number): void {
    this.onResize(columns, rows);
  }

  /** Resolves when everybody for whom the program has to wait has taken it. */
  async write(stream: 1 | 2, bytes: Buffer): Promise<void> {
    await this.#held.promise;
    this.#log?.append(stream, bytes);
    const name = stream === 1 ? 'stdout' : 'stderr';
    await Promise.all([...this.#attached].map((each) => each.give(name, bytes)));
  }

  attach(attacher: MemoryAttacher): AttachmentStart {
    this.#attached.add(attacher);
    return { logPosition: this.#log?.position };
  }

  leave(attacher: MemoryAttacher): void {
    this.#attached.delete(attacher);
  }

  /** An attacher's input is complete. */
  endInput(): void {
    if (this.#once) this.input?.end();
  }

  end(exit: ExitStatus): void {
    this.input?.destroy();
    for (const each of this.#attached) each.tellExit(exit);
  }
}

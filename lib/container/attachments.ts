import { EngineError } from '../core/errors/engine-error.js';
import type { Attachment } from '../runtime/attachment.js';

interface Waiting {
  readonly attachment: Attachment;
  readonly connect: () => Promise<void>;
}

/** The attachments that an engine has made: those of running containers, and those that wait for a start. */
export class Attachments {
  readonly #open = new Set<Attachment>();
  readonly #waiting = new Map<string, Set<Waiting>>();

  /** Counts it until it has ended. */
  add(attachment: Attachment): void {
    this.#open.add(attachment);
    const forget = (): void => void this.#open.delete(attachment);
    attachment.ended.then(forget, forget);
  }

  /** Connects at the container's next start, before its first output is taken. */
  connectAtStart(id: string, attachment: Attachment, connect: () => Promise<void>): void {
    const waiting = this.#waiting.get(id) ?? new Set();
    const entry = { attachment, connect };
    this.#waiting.set(id, waiting.add(entry));
    const forget = (): void => {
      waiting.delete(entry);
      if (waiting.size === 0 && this.#waiting.get(id) === waiting) this.#waiting.delete(id);
    };
    attachment.ended.then(forget, forget);
  }

  /** True when somebody waits for the start. */
  areWaiting(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** The container has started. A connection that fails is told to the one who waits for it, not to the starter. */
  async started(id: string): Promise<void> {
    const waiting = this.#waiting.get(id) ?? new Set();
    this.#waiting.delete(id);
    await Promise.all([...waiting].map(({ connect }) => connect()));
  }

  /** The container was removed: it will never start. */
  forget(id: string): void {
    const failure = new EngineError('NO_SUCH_CONTAINER', { reference: id });
    for (const { attachment } of this.#waiting.get(id) ?? []) attachment.end({ failure });
  }

  /** Ends all: containers go on. */
  close(): void {
    for (const attachment of this.#open) attachment.end({ failure: new EngineError('CLOSED', { what: 'engine' }) });
  }
}

import { randomUUID } from 'node:crypto';
import type { BlobWriter } from '../../content/content-store.js';
import { RegistryFailure } from './registry-failure.js';

/** A blob that is being uploaded, over as many requests as it takes. */
export interface UploadSession {
  readonly id: string;
  readonly repository: string;
  readonly writer: BlobWriter;
}

interface Held extends UploadSession {
  /** Ends when the request that works on it has ended. */
  busy: Promise<void>;
  /** Ends that request. */
  interrupt: () => void;
  usedAt: number;
}

export interface UploadSessionsOptions {
  readonly begin: () => Promise<BlobWriter>;
  /** An upload on which nobody works for so long is thrown away. */
  readonly expiryMs: number;
  /** Uploads at once: each holds a file open. */
  readonly most: number;
  readonly now: () => number;
}

const patienceMs = 1000;

/**
 * The uploads of a server. They are lost with it; a client begins them anew then.
 *
 * One request works on an upload at a time. A further one waits a moment for what was sent before to arrive, then ends
 * it: its client has given it up, although the connection may look alive from here.
 */
export class UploadSessions {
  readonly #options: UploadSessionsOptions;
  readonly #sessions = new Map<string, Held>();
  #beginning = 0;

  constructor(options: UploadSessionsOptions) {
    this.#options = options;
  }

  async begin(repository: string): Promise<UploadSession> {
    await this.expire();
    const { most, begin, now } = this.#options;
    if (this.#sessions.size + this.#beginning >= most) {
      throw new RegistryFailure(429, 'TOOMANYREQUESTS', 'too many uploads are under way', { 'retry-after': '5' });
    }
    this.#beginning += 1;
    try {
      const writer = await begin();
      const session = { id: randomUUID(), repository, writer };
      this.#sessions.set(session.id, {
        ...session,
        busy: Promise.resolve(),
        interrupt: () => undefined,
        usedAt: now(),
      });
      return session;
    } finally {
      this.#beginning -= 1;
    }
  }

  /** Does `work` on an upload after whatever was done on it before. @throws RegistryFailure `BLOB_UPLOAD_UNKNOWN`. */
  async use<T>(
    repository: string,
    id: string,
    interrupt: () => void,
    work: (session: UploadSession) => Promise<T>,
  ): Promise<T> {
    const held = this.#find(repository, id);
    const before = held.busy;
    const impatience = setTimeout(held.interrupt, patienceMs);
    held.interrupt = interrupt;
    const running = before.then(async () => {
      clearTimeout(impatience);
      return work(this.#find(repository, id));
    });
    held.busy = running.then(
      () => undefined,
      () => undefined, // told to the client whose request it is
    );
    try {
      return await running;
    } finally {
      held.usedAt = this.#options.now();
    }
  }

  /** Ends an upload. What was not committed is thrown away. */
  async end({ id, writer }: UploadSession): Promise<void> {
    this.#sessions.delete(id);
    await writer.close();
  }

  /** Throws away what nobody has worked on for long. */
  async expire(): Promise<void> {
    const before = this.#options.now() - this.#options.expiryMs;
    for (const held of [...this.#sessions.values()]) if (held.usedAt < before) await this.#drop(held);
  }

  async close(): Promise<void> {
    for (const held of [...this.#sessions.values()]) await this.#drop(held);
  }

  async #drop(held: Held): Promise<void> {
    held.interrupt();
    await held.busy;
    await this.end(held);
  }

  #find(repository: string, id: string): Held {
    const held = this.#sessions.get(id);
    if (held?.repository === repository) return held;
    throw new RegistryFailure(404, 'BLOB_UPLOAD_UNKNOWN', 'there is no such upload');
  }
}

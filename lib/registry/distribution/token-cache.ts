import type { Clock } from './clock.js';

interface Entry {
  readonly authorization: string;
  readonly expiresAt: number;
}

/** More than one engine needs; a bound all the same. */
const maxEntries = 256;

/** Values of the Authorization header that registries have accepted, in memory only. */
export class TokenCache {
  readonly #entries = new Map<string, Entry>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(key: string): string | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAt > this.#clock.now()) return entry?.authorization;
    this.#entries.delete(key);
    return undefined;
  }

  set(key: string, authorization: string, lifetimeMs: number): void {
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size >= maxEntries) this.#entries.delete(oldest);
    this.#entries.set(key, { authorization, expiresAt: this.#clock.now() + lifetimeMs });
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Deletes all entries whose key begins with `prefix`. */
  clear(prefix: string): void {
    for (const key of [...this.#entries.keys()]) if (key.startsWith(prefix)) this.#entries.delete(key);
  }
}

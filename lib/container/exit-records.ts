import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../core/errors/engine-error.js';
import type { ExitStatus } from '../core/exit-status.js';
import { limits } from '../core/limits.js';
import { parseSignal } from '../core/signal.js';
import type { StorageLayout } from '../core/storage-layout.js';
import { isMissing } from '../util/file-error.js';
import { readExitFile } from './container-files.js';

/** A directory is looked through after so many removals. */
const SWEEP_EVERY = 64;

/**
 * How containers have ended that were removed since: a file each in RUN, for whoever still waits for them. They are kept for an
 * hour, the newest {@link limits.keptExits} of them, and not beyond a reboot.
 */
export class ExitRecords {
  #kept = 0;

  constructor(private readonly layout: StorageLayout) {}

  /** Before the container's own record goes. */
  keep(id: string, exit: ExitStatus): void {
    const signal = exit.signal === undefined ? 0 : parseSignal(exit.signal);
    const line = `${exit.exitCode} ${signal} ${exit.oomKilled ? 1 : 0} ${BigInt(exit.finishedAt.getTime()) * 1_000_000n}\n`;
    this.#write(this.#file(id), line);
    this.#kept += 1;
    if (this.#kept % SWEEP_EVERY === 0) this.sweep();
  }

  /** Undefined when it is not known, or no longer. */
  find(id: string): ExitStatus | undefined {
    return readExitFile(this.#file(id));
  }

  /** The same for the beginning of an id. @throws EngineError `AMBIGUOUS_CONTAINER`. */
  search(prefix: string): ExitStatus | undefined {
    if (!/^[0-9a-f]{1,64}$/.test(prefix)) return undefined;
    const matches = this.#ids().filter((id) => id.startsWith(prefix));
    if (matches.length > 1) throw new EngineError('AMBIGUOUS_CONTAINER', { reference: prefix, matches });
    return matches[0] === undefined ? undefined : this.find(matches[0]);
  }

  /** Forgets those that are too old or too many. */
  sweep(now = Date.now()): void {
    const ages = this.#ids().flatMap((id) => {
      const stats = statSync(this.#file(id), { throwIfNoEntry: false });
      return stats === undefined ? [] : [{ id, ageMs: now - stats.mtimeMs }];
    });
    ages.sort((a, b) => a.ageMs - b.ageMs);
    for (const [index, { id, ageMs }] of ages.entries()) {
      if (index >= limits.keptExits || ageMs > limits.keptExitMs) rmSync(this.#file(id), { force: true });
    }
  }

  readonly #file = (id: string): string => join(this.layout.runExits(), id);

  #write(path: string, line: string): void {
    try {
      writeFileSync(path, line, { mode: 0o600 });
    } catch (error) {
      if (!isMissing(error)) throw error;
      mkdirSync(this.layout.runExits(), { recursive: true, mode: 0o700 });
      writeFileSync(path, line, { mode: 0o600 });
    }
  }

  #ids(): readonly string[] {
    try {
      return readdirSync(this.layout.runExits());
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }
}

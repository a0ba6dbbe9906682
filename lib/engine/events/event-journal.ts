import { closeSync, constants, fstatSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { FileLocker } from '../../util/file-lock.js';

/** Supervisors have the same bound: native/src/journal.h. */
const MAX_BYTES = 4 * 1024 * 1024;

const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;

/**
 * The file in which all processes of a root, supervisors too, tell what has happened: a line each, at its end. A full one gets
 * another name, in place of the one that had it, so that there are 4 to 8 MiB of the newest events.
 */
export class EventJournal {
  readonly file: string;
  /** What came before. */
  readonly older: string;

  constructor(
    readonly directory: string,
    private readonly locker: FileLocker,
  ) {
    this.file = join(directory, 'events.jsonl');
    this.older = `${this.file}.1`;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** @throws errors of the system: the caller decides what is more important. */
  append(line: string): void {
    const fd = openSync(this.file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    try {
      writeSync(fd, `\n${line}\n`); // the first line feed ends a line that a full disk has cut
      if (fstatSync(fd).size >= MAX_BYTES) this.#rotate(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Whoever has the lock gives the file its other name; nobody waits for it. */
  #rotate(fd: number): void {
    if (!this.locker.tryLock(fd, 'exclusive')) return;
    const there = statSync(this.file, { bigint: true, throwIfNoEntry: false });
    const held = fstatSync(fd, { bigint: true });
    if (there?.ino === held.ino && there.dev === held.dev) renameSync(this.file, this.older);
  }
}

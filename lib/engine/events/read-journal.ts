import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { EngineError } from '../../core/errors/engine-error.js';
import { isMissing } from '../../util/file-error.js';
import type { EventJournal } from './event-journal.js';

const CHUNK_BYTES = 64 * 1024;

/** A place in a journal: its begin, or where a file of it ended at some time. */
export type JournalPosition = 'begin' | { readonly inode: bigint; readonly offset: number };

/** Where the next line will be written. */
export function endOfJournal({ file }: EventJournal): JournalPosition {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? 'begin' : { inode: stats.ino, offset: Number(stats.size) };
}

/**
 * Lines of a journal as they are written, from a place in it on. Rotation loses none of them for a reader that is not too slow:
 * a file is read to its end after it got its other name.
 */
export class JournalReader {
  #current: OpenFile | undefined;
  /** The file before, to which somebody who had opened it earlier may still write. */
  #previous: OpenFile | undefined;

  /** @throws EngineError `EVENTS_OVERRUN` */
  constructor(
    private readonly journal: EventJournal,
    position: JournalPosition,
  ) {
    const { file, older } = journal;
    if (position === 'begin') this.#current = OpenFile.at(older) ?? OpenFile.at(file);
    else this.#current = OpenFile.at(file, position) ?? OpenFile.at(older, position);
    if (this.#current === undefined && position !== 'begin') throw overrun(file);
  }

  /** Some of what was written since the last call; nothing when that is all. @throws EngineError `EVENTS_OVERRUN` */
  take(): readonly string[] {
    for (;;) {
      for (const file of [this.#previous, this.#current]) {
        const lines = file?.take() ?? [];
        if (lines.length > 0) return lines;
      }
      const next = this.#successor();
      if (next === undefined) return [];
      this.#previous?.close();
      this.#previous = this.#current; // and is read once more: something may have been written before it was rotated
      this.#current = next;
    }
  }

  close(): void {
    this.#current?.close();
    this.#previous?.close();
    this.#current = this.#previous = undefined;
  }

  /** The file that has followed the one that is read; undefined when it is still the newest. */
  #successor(): OpenFile | undefined {
    const newest = OpenFile.at(this.journal.file);
    if (newest === undefined || this.#current === undefined) return newest;
    if (newest.inode === this.#current.inode) return newest.close();
    const older = OpenFile.at(this.journal.older);
    older?.close();
    if (older?.inode === this.#current.inode) return newest;
    newest.close();
    throw overrun(this.journal.file);
  }
}

const overrun = (path: string): EngineError => new EngineError('EVENTS_OVERRUN', { path });

/** A file that only grows, as lines. */
class OpenFile {
  #rest = Buffer.alloc(0);

  private constructor(
    private readonly fd: number,
    readonly inode: bigint,
    private offset: number,
  ) {}

  /** Undefined when it is not there, or is not the one that is meant. */
  static at(path: string, position?: { readonly inode: bigint; readonly offset: number }): OpenFile | undefined {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    const { ino } = fstatSync(fd, { bigint: true });
    const file = new OpenFile(fd, ino, position?.offset ?? 0);
    return position === undefined || position.inode === ino ? file : file.close();
  }

  /** The lines of the next bytes; none at the end. */
  take(): readonly string[] {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    for (;;) {
      const size = readSync(this.fd, chunk, 0, CHUNK_BYTES, this.offset);
      if (size === 0) return [];
      this.offset += size;
      const bytes = Buffer.concat([this.#rest, chunk.subarray(0, size)]);
      const end = bytes.lastIndexOf(0x0a) + 1;
      this.#rest = bytes.subarray(end);
      const lines = bytes.toString('utf8', 0, end).split('\n');
      const written = lines.filter((line) => line !== '');
      if (written.length > 0) return written;
    }
  }

  close(): undefined {
    closeSync(this.fd);
  }
}

import type { LogLine } from './log-lines.js';

/** The size of a terminal in characters, each 0 to 65535. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** How much of a container's output is kept on disk. */
export interface LogFileOptions {
  /** Bytes of one file, or a text like `'20m'`; at least 128 KiB. Default 20 MiB. */
  readonly maxBytes?: number | string;
  /**
   * When the newest file is full, the oldest of more than so many is removed; 1 to 100. One that somebody is reading stays,
   * and younger ones, until there are 512 or 1 GiB too many. Default 5.
   */
  readonly maxFiles?: number;
}

/** Is called with each line of a container's output, in order. */
export type LogWriter = (line: LogLine) => void;

/** What becomes of a container's standard streams. */
export interface StdioOptions {
  /**
   * The first process has a terminal of this size as stdin, stdout and stderr; `true` is 80 columns and 24 rows. `TERM` is
   * `xterm` unless set. Its output is one stream, stdout. Default false.
   */
  readonly tty?: boolean | TerminalSize;
  /** Input comes from whoever attaches, and stays open while nobody is attached. Default false: there is none. */
  readonly openStdin?: boolean;
  /**
   * With `openStdin`: as soon as the first attacher ends its input or leaves, the container's input ends, too. A terminal
   * has no such end. Default false.
   */
  readonly stdinOnce?: boolean;
  /**
   * Where output goes besides attachers. Files in the container's directory, with a bound, which `logs()` reads; `'none'`:
   * nowhere; a function of this process, which is called for each line in files of such a bound, and misses lines only if it
   * keeps the event loop busy until they were rotated away (event `container.logFailed`). The container never waits for its
   * log. Default: files of the default size.
   */
  readonly log?: 'none' | LogFileOptions | LogWriter;
}

import type { Readable, Writable } from 'node:stream';

/** What a {@link MemoryProgram} has of its process. */
export interface MemoryProcessContext {
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** At its end at once unless the launch asked for a pipe. */
  readonly stdin: Readable;
  readonly stdout: Writable;
  /** The same as `stdout` with a terminal. */
  readonly stderr: Writable;
  /** Its size now; undefined without a terminal. */
  readonly terminal: () => { readonly columns: number; readonly rows: number } | undefined;
  /**
   * Handles a signal. Without a handler a signal ends the program, except those that are ignored by default, and except
   * in a PID namespace of its own, where only SIGKILL does. @see pid_namespaces(7)
   */
  onSignal(number: number, handler: () => void): void;
  /** Work of a child that the program leaves behind: while it lasts, the outputs stay open. */
  background(work: Promise<void>): void;
  /** Aborts when the process has ended: a program that waits for something should stop. */
  readonly ended: AbortSignal;
}

/** A program as a function: what it returns is its exit code, `undefined` is 0, and an exception is 1. */
export type MemoryProgram = (context: MemoryProcessContext) => Promise<number | undefined> | number | undefined;

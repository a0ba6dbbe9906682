import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import type { ExitStatus } from '../core/exit-status.js';
import { limits } from '../core/limits.js';
import type { LaunchedProcess } from '../runtime/launcher.js';
import { LONGEST_TIMER_MS } from '../util/longest-timer.js';
import { awaitExit } from './await-process.js';
import { collectOutput, feedInput } from './collect-output.js';
import type { BufferedOptions } from './container-options.js';

/** What a command did. A non-zero exit is a result, not an error. */
export interface CommandResult extends ExitStatus {
  /** Decoded as UTF-8. */
  readonly stdout: string;
  readonly stderr: string;
  /** The same as bytes. */
  readonly stdoutBytes: Buffer;
  readonly stderrBytes: Buffer;
  /** From the start of the program to its end. */
  readonly durationMs: number;
}

const SIGKILL = 9;
/** The same patience as the supervisor has with a log. */
const DRAIN_MS = 2000;

/** @throws EngineError `INVALID_OPTION` before anything is started. */
export function checkBounds({ maxOutputBytes = 0, timeoutMs = 0 }: BufferedOptions): void {
  for (const [option, value] of Object.entries({ maxOutputBytes, timeoutMs })) {
    if (Number.isSafeInteger(value) && value >= 0) continue;
    const expected = 'a whole number from 0'; // anything else would compare as no bound at all
    throw new EngineError('INVALID_OPTION', { option, expected, got: String(value) });
  }
}

/**
 * Lets a process run to its end and keeps its output. Whatever goes wrong meanwhile (abort, timeout, too much output)
 * kills the process and is thrown once it has ended.
 */
export async function collectResult(
  process: LaunchedProcess,
  id: string,
  options: BufferedOptions & Abortable,
): Promise<CommandResult> {
  const startedAt = performance.now();
  const maxBytes = options.maxOutputBytes ?? limits.bufferedOutputBytes;
  const letGo = process.keepAlive();
  const guard = killOnTrouble(process, id, options);
  try {
    const streams = Promise.all([
      guard.watch(collectOutput(process.stdout, 'stdout', maxBytes)),
      guard.watch(collectOutput(process.stderr, 'stderr', maxBytes)),
      guard.watch(feedInput(process.stdin, options.input ?? '')),
    ]);
    streams.catch(() => undefined); // awaited below: a failure has killed the process by then
    const exit = await awaitExit(process);
    const [stdoutBytes, stderrBytes] = await drained(process, streams);
    guard.throwTrouble();
    return {
      ...exit,
      stdout: stdoutBytes.toString('utf8'),
      stderr: stderrBytes.toString('utf8'),
      stdoutBytes,
      stderrBytes,
      durationMs: performance.now() - startedAt,
    };
  } catch (error) {
    process.signal(SIGKILL);
    await process.exited.catch(() => undefined); // the first failure is the one to tell
    throw error;
  } finally {
    guard.end();
    letGo();
  }
}

/** What the process has written is there by its end; a stray child of it may hold the streams open for ever. */
async function drained<T>(process: LaunchedProcess, streams: Promise<T>): Promise<T> {
  const cut = (): void => {
    for (const stream of [process.stdin, process.stdout, process.stderr]) stream?.destroy();
  };
  const timer = setTimeout(cut, DRAIN_MS);
  try {
    return await streams;
  } finally {
    clearTimeout(timer);
  }
}

/** Kills the process at the first trouble, and remembers what it was. */
function killOnTrouble(process: LaunchedProcess, id: string, { signal, timeoutMs }: BufferedOptions & Abortable) {
  let trouble: { readonly reason: unknown } | undefined;
  const kill = (reason: unknown): void => {
    trouble ??= { reason };
    process.signal(SIGKILL);
  };
  const onAbort = (): void => kill(signal?.reason);
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(
          () => kill(new EngineError('RUN_TIMEOUT', { id, timeoutMs })),
          Math.min(timeoutMs, LONGEST_TIMER_MS),
        );
  return {
    watch: async <T>(work: Promise<T>): Promise<T> => {
      try {
        return await work;
      } catch (error) {
        kill(error);
        throw error;
      }
    },
    throwTrouble: (): void => {
      if (trouble !== undefined) throw trouble.reason;
    },
    end: (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Abortable } from '../../core/abortable.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { toFileError } from '../../util/file-error.js';
import { parseShimReport, type ShimReport } from './shim-report.js';

export interface RunShimOptions extends Abortable {
  /** What the role reads on descriptor 0. Default: nothing. */
  readonly input?: AsyncIterable<Uint8Array> | Uint8Array | undefined;
  /** Gets what the role writes on descriptor 1, which must be read. Default: it is thrown away. */
  readonly onOutput?: ((output: Readable) => void) | undefined;
}

/** 131072 implicit directories of 16 MiB together, as many hard links, and warnings stay below. */
const maxReportBytes = 64 * 1024 * 1024;

/**
 * Runs a role of the shim to its end and returns its report, which may say that the work has failed.
 *
 * The process is killed when `signal` aborts or `input` throws, and it has ended when this returns or throws.
 * @throws EngineError `SHIM_MISSING`, `SHIM_FAILED`, `SYSTEM_CALL_FAILED`; whatever `input` throws; the reason of `signal`.
 */
export async function runShim(
  shimPath: string,
  args: readonly string[],
  options: RunShimOptions = {},
): Promise<ShimReport> {
  const { signal } = options;
  signal?.throwIfAborted();
  const output = options.onOutput === undefined ? 'ignore' : 'pipe';
  const child = spawn(shimPath, args, { stdio: ['pipe', output, 'ignore', 'pipe'], cwd: '/', env: {} });
  const ended = once(child, 'close') as Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  if (child.pid === undefined) throw await startFailure(ended, shimPath); // without descriptors it has no streams either
  const kill = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  if (child.stdout !== null) options.onOutput?.(child.stdout);
  try {
    const input = startFeeding(child, options.input ?? new Uint8Array(0), kill);
    const report = collect(child.stdio[3] as Readable, kill);
    report.catch(() => undefined); // looked at below, unless something more telling comes first
    const [code, deathSignal] = await ended;
    const inputFailure = await input;
    signal?.throwIfAborted();
    if (inputFailure !== undefined) throw inputFailure.error;
    const parsed = parseShimReport(await report);
    if (!parsed.isComplete) {
      const how = deathSignal === null ? `exit code ${code}` : `signal ${deathSignal}`;
      throw new EngineError('SHIM_FAILED', { what: `${args[0]} ended with ${how} before it had reported` });
    }
    return parsed;
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}

/** Node tells it as an event. */
async function startFailure(ended: Promise<unknown>, shimPath: string): Promise<unknown> {
  const error = await ended.catch((reason: unknown) => reason);
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'EACCES' || code === 'ENOEXEC'
    ? new EngineError('SHIM_MISSING', { searched: [shimPath], hint: String(error) }, { cause: error })
    : toFileError(error, shimPath);
}

/** Writes `input` and closes. The answer is the input's own failure; a role that stops reading is no failure here. */
async function startFeeding(
  child: ChildProcess,
  input: AsyncIterable<Uint8Array> | Uint8Array,
  kill: () => void,
): Promise<{ error: unknown } | undefined> {
  const stdin = child.stdin as Writable;
  let failure: { error: unknown } | undefined;
  async function* guarded(): AsyncGenerator<Uint8Array> {
    try {
      if (input instanceof Uint8Array) yield input;
      else yield* input;
    } catch (error) {
      failure = { error };
      kill(); // before it sees the end of a stream that has not ended
    }
  }
  try {
    await pipeline(guarded(), stdin);
  } catch {
    // EPIPE and the like: the role has ended early and its report says why.
  }
  return failure;
}

async function collect(stream: Readable, kill: () => void): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += (chunk as Buffer).length;
    if (size > maxReportBytes) {
      kill();
      throw new EngineError('TOO_LARGE', { what: 'report of the shim', maxBytes: maxReportBytes });
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

import { randomBytes } from 'node:crypto';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';
import type { LaunchedProcess } from '../../runtime/launcher.js';
import { Deferred } from '../../util/deferred.js';
import { containerState } from '../container-cgroup.js';
import type { ContainerRecord } from '../container-record.js';
import type { ContainerServices } from '../container-services.js';
import { execProcess } from '../exec-process.js';
import { killGroup } from '../kill-group.js';
import type { HealthProbe } from './container-health.js';
import type { HealthcheckConfig } from './healthcheck-option.js';
import { type ProbeGroup, probeGroup } from './probe-group.js';

const SIGKILL = 9;
const NO_EXIT = -1;
const READ_MS = 1000;

/**
 * Runs a health check's command once. Undefined when it tells nothing: the engine closes, or the container has ended or was
 * paused meanwhile.
 */
export async function runProbe(
  services: ContainerServices,
  record: ContainerRecord,
  { command, timeoutMs }: HealthcheckConfig,
  signal: AbortSignal,
): Promise<HealthProbe | undefined> {
  const start = services.now();
  const group = probeGroup(services, record, `probe-${randomBytes(6).toString('hex')}`);
  const ended = (exitCode: number, output: string): HealthProbe | undefined =>
    signal.aborted || containerState(services, record).status !== 'running'
      ? undefined
      : { start, end: services.now(), exitCode, output };
  let process: LaunchedProcess;
  try {
    process = await execProcess(services, record, command, { signal }, group.part);
  } catch (error) {
    if (!EngineError.is(error) && !signal.aborted) throw error;
    return ended(NO_EXIT, error instanceof Error ? error.message : String(error));
  }
  const output = new ProbeOutput();
  output.take(process.stdout);
  output.take(process.stderr);
  const end = await endOf(services, record, process, group, timeoutMs, signal);
  const text = output.toString();
  if (end === 'suspended') return undefined;
  if (end === 'late') return ended(NO_EXIT, `Health check exceeded timeout (${timeoutMs} ms): ${text}`);
  return ended(end, text);
}

/** The exit code; `suspended` when the container was paused as the time was over. */
async function endOf(
  services: ContainerServices,
  record: ContainerRecord,
  process: LaunchedProcess,
  group: ProbeGroup,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<number | 'late' | 'suspended'> {
  const isPaused = (): boolean => containerState(services, record).status === 'paused';
  const given = new Deferred<'suspended'>();
  let reason: 'late' | 'suspended' | undefined;
  const kill = (): void => {
    process.signal(SIGKILL);
    closeStreams(process);
  };
  const timer = setTimeout(() => {
    reason = isPaused() ? 'suspended' : 'late';
    kill();
  }, timeoutMs).unref();
  const onAbort = (): void => {
    kill();
    if (isPaused()) given.resolve('suspended'); // it ends when the container goes on
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([process.exited.then(({ exitCode }) => reason ?? exitCode), given.promise]);
  } catch {
    return reason ?? NO_EXIT; // its supervisor was killed
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    process.released.catch(() => undefined); // the group may have gone with the container
    if (!isPaused() && group.directory !== undefined) await killGroup(services, group.directory); // what it has left behind
    if (reason === undefined && !signal.aborted) await readToEnd(process);
    closeStreams(process);
  }
}

/** Nobody is left to write: what is still in the pipes is all that there is. */
async function readToEnd({ stdout, stderr }: LaunchedProcess): Promise<void> {
  const ends = [stdout, stderr].map((stream) => (stream === undefined ? undefined : finished(stream)));
  const patience = new Deferred<void>(); // where groups cannot be ended, a daemon may hold them
  const timer = setTimeout(() => patience.resolve(), READ_MS).unref();
  await Promise.race([Promise.allSettled(ends), patience.promise]);
  clearTimeout(timer);
}

function closeStreams(process: LaunchedProcess): void {
  for (const stream of [process.stdout, process.stderr]) stream?.destroy();
}

/** The beginning of all that comes, in the order in which it comes. */
class ProbeOutput {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  take(stream: Readable | undefined): void {
    if (stream instanceof Socket) stream.unref(); // a probe keeps no program alive
    stream?.on('data', (chunk: Buffer) => {
      const rest = limits.probeOutputBytes - this.#bytes;
      if (rest <= 0) return;
      this.#chunks.push(chunk.subarray(0, rest));
      this.#bytes += Math.min(rest, chunk.length);
    });
    stream?.on('error', () => undefined); // what came before it counts
  }

  toString(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import type { ExitStatus } from '../core/exit-status.js';
import { parseSignal } from '../core/signal.js';
import { LONGEST_TIMER_MS } from '../util/longest-timer.js';
import { awaitSettled } from './await-process.js';
import { containerFiles, readState } from './container-files.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import { thawPaused } from './pause-container.js';
import { preventRestart } from './prevent-restart.js';
import { signalContainer } from './signal-container.js';
import { waitContainer } from './wait-container.js';

export interface StopOptions extends Abortable {
  /** Default: the container's `stopSignal`. */
  readonly stopSignal?: string | number;
  /** How long to wait before SIGKILL; 0 kills at once. Default: the container's `stopTimeoutMs`. */
  readonly timeoutMs?: number;
}

const SIGKILL = 9;
/** Somebody may have paused the container just before the signal came. */
const KILL_AGAIN_MS = 1000;

/**
 * Asks a container to end, and ends it when it does not. Stopping what does not run is fine.
 *
 * A program that is PID 1 and handles no SIGTERM ignores it: then the timeout passes. @see pid_namespaces(7)
 */
export async function stopContainer(
  services: ContainerServices,
  record: ContainerRecord,
  options: StopOptions = {},
): Promise<ExitStatus> {
  const signal =
    options.stopSignal === undefined ? record.config.stopSignal : parseSignal(options.stopSignal, 'stopSignal');
  const timeoutMs = options.timeoutMs ?? record.config.stopTimeoutMs;
  if (!Number.isInteger(timeoutMs) || timeoutMs < 0) {
    const expected = 'a whole number of milliseconds from 0';
    throw new EngineError('INVALID_OPTION', { option: 'timeoutMs', expected, got: String(timeoutMs) });
  }
  options.signal?.throwIfAborted();
  preventRestart(containerFiles(services.layout, record.id), record);
  const exit = waitContainer(services, record.id, options);
  exit.catch(() => undefined); // awaited below, on every path
  if (timeoutMs > 0) {
    await trySignal(services, record, signal);
    const polite = await within(exit, timeoutMs);
    if (polite !== undefined) return finish(services, record.id, polite);
  }
  return finish(services, record.id, await killed(services, record, exit));
}

/** The same, and says so. */
export async function stopAndTell(
  services: ContainerServices,
  record: ContainerRecord,
  options: StopOptions,
): Promise<ExitStatus> {
  const { status } = readState(containerFiles(services.layout, record.id));
  const exit = await stopContainer(services, record, options);
  if (status !== 'exited') services.events.stopped(record);
  return exit;
}

async function killed(
  services: ContainerServices,
  record: ContainerRecord,
  exit: Promise<ExitStatus>,
): Promise<ExitStatus> {
  for (;;) {
    await trySignal(services, record, SIGKILL);
    const ended = await within(exit, KILL_AGAIN_MS);
    if (ended !== undefined) return ended;
  }
}

/** A container that has ended in the meantime is what was wanted. */
async function trySignal(services: ContainerServices, record: ContainerRecord, signal: number): Promise<void> {
  try {
    await signalContainer(services, record, signal);
    await thawPaused(services, record);
  } catch (error) {
    if (!EngineError.is(error, 'WRONG_STATE')) throw error;
  }
}

async function within<T>(pending: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.min(milliseconds, LONGEST_TIMER_MS));
  });
  try {
    return await Promise.race([pending, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Address and ports are free when a stop resolves. */
async function finish(services: ContainerServices, id: string, exit: ExitStatus): Promise<ExitStatus> {
  await awaitSettled(services.live.get(id));
  return exit;
}

import { EngineError } from '../core/errors/engine-error.js';
import type { ProcessIdentity } from '../core/process-identity.js';
import { signalName } from '../core/signal.js';
import { containerFiles, isAlive, readState } from './container-files.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import { thawPaused } from './pause-container.js';
import { preventRestart } from './prevent-restart.js';

const SIGKILL = 9;

/**
 * Sends a signal to a container's first process, which is identified by a pidfd: a reused pid is never hit. A paused
 * container goes on when the signal is to end it (SIGKILL, its stop signal); any other one waits. One that is to end it also
 * keeps its restart policy from starting it again.
 *
 * @throws EngineError `WRONG_STATE` when the container is not running.
 */
export async function signalContainer(
  services: ContainerServices,
  record: ContainerRecord,
  signal: number,
): Promise<void> {
  const { id, config } = record;
  const files = containerFiles(services.layout, id);
  const state = readState(files);
  const ends = signal === SIGKILL || signal === config.stopSignal;
  if (ends && ['running', 'restarting'].includes(state.status)) preventRestart(files, record);
  if (ends && state.status === 'restarting') return; // nothing else is left to be ended
  if (state.status === 'running') services.events.killed(record, signalName(signal));
  if (state.status !== 'running' || !signalFirstProcess(services, id, state.process, signal)) {
    const status = state.status === 'running' ? 'exited' : state.status;
    throw new EngineError('WRONG_STATE', { id, status, wanted: 'running' });
  }
  if (ends) await thawPaused(services, record);
}

/** False when it has ended. */
export function signalFirstProcess(
  services: ContainerServices,
  id: string,
  process: ProcessIdentity,
  signal: number,
): boolean {
  const live = services.live.get(id)?.process;
  if (live?.identity.pid === process.pid) return live.signal(signal); // its supervisor holds the process
  const pidfd = services.kernel.openProcess(process.pid);
  if (pidfd === undefined) return false;
  try {
    // Compared while the pidfd holds the process: from here on it cannot become another.
    return isAlive(process) && services.kernel.signalProcess(pidfd, signal);
  } finally {
    services.kernel.close(pidfd);
  }
}

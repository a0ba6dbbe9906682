import { EngineError } from '../core/errors/engine-error.js';
import type { ProcessIdentity } from '../core/process-identity.js';
import { containerFiles, isAlive, readState } from './container-files.js';
import type { ContainerServices } from './container-services.js';

/**
 * Sends a signal to a container's first process, which is identified by a pidfd: a reused pid is never hit.
 *
 * @throws EngineError `WRONG_STATE` when the container is not running.
 */
export function signalContainer(services: ContainerServices, id: string, signal: number): void {
  const state = readState(containerFiles(services.layout, id));
  if (state.status !== 'running' || !send(services, id, state.process, signal)) {
    const status = state.status === 'running' ? 'exited' : state.status;
    throw new EngineError('WRONG_STATE', { id, status, wanted: 'running' });
  }
}

function send(services: ContainerServices, id: string, process: ProcessIdentity, signal: number): boolean {
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

import { listProcesses } from '../runtime/cgroup/list-processes.js';
import { delay } from '../util/abort.js';
import type { ContainerServices } from './container-services.js';

const PATIENCE_MS = 2000;
const LONGEST_PAUSE_MS = 20;
const SIGKILL = 9;

/** Ends what is in a cgroup; it may make processes faster than they are seen, hence again and again, for two seconds. */
export async function killGroup(services: ContainerServices, directory: string): Promise<void> {
  const processes = `${directory}/cgroup.procs`;
  const list = (): Promise<readonly number[]> => listProcesses({ processes }, services.cgroupControl);
  const deadline = performance.now() + PATIENCE_MS;
  for (let pauseMs = 1; performance.now() < deadline; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const opened = new Map<number, number>();
    try {
      for (const pid of await list()) {
        const pidfd = services.kernel.openProcess(pid);
        if (pidfd !== undefined) opened.set(pid, pidfd);
      }
      if (opened.size === 0) return;
      // Looked for once more while the pidfds hold them: a number alone may be another process's by now.
      for (const pid of await list()) {
        const pidfd = opened.get(pid);
        if (pidfd !== undefined) services.kernel.signalProcess(pidfd, SIGKILL);
      }
    } finally {
      for (const pidfd of opened.values()) services.kernel.close(pidfd);
    }
    await delay(pauseMs);
  }
}

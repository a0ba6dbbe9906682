import { dirname } from 'node:path';
import { listProcesses } from '../../runtime/cgroup/list-processes.js';
import { emptyPart, type PlanPart } from '../../runtime/container-spec.js';
import { delay } from '../../util/abort.js';
import { containerCgroup } from '../container-cgroup.js';
import type { ContainerRecord } from '../container-record.js';
import type { ContainerServices } from '../container-services.js';

const PATIENCE_MS = 2000;
const LONGEST_PAUSE_MS = 20;
const SIGKILL = 9;

/** A group below a container's, so that everything which a command has started can be found and ended. */
export interface ProbeGroup {
  /** Makes the group, joins it, and removes it. */
  readonly part: PlanPart;
  /** Undefined where there is no freezer and no v2: then only the command itself can be ended. */
  readonly directory: string | undefined;
}

/**
 * The groups for one command in a running container: on v1 one of the freezer, which has no limits to be kept, on v2 one
 * below the container's own.
 */
export function probeGroup(services: ContainerServices, record: ContainerRecord, name: string): ProbeGroup {
  const { join, files } = containerCgroup(services, record);
  const above = files.freeze && dirname(files.freeze.path);
  if (above === undefined) return { part: { ...emptyPart, prepare: join }, directory: undefined };
  const directory = `${above}/${name}`;
  const joins = join.map((each) => (each.path === above ? { ...each, path: directory } : each));
  return {
    part: {
      ...emptyPart,
      prepare: [{ op: 'make-directory', path: directory, mode: 0o755 }, ...joins],
      cleanup: [{ op: 'remove-directory', path: directory }],
    },
    directory,
  };
}

/** Ends what is in the group; it may make processes faster than they are seen, hence again and again. */
export async function killGroup(services: ContainerServices, { directory }: ProbeGroup): Promise<void> {
  if (directory === undefined) return;
  const processes = `${directory}/cgroup.procs`;
  const list = (): Promise<readonly number[]> => listProcesses({ processes }, services.cgroupControl);
  const deadline = performance.now() + PATIENCE_MS;
  for (let pauseMs = 1; performance.now() < deadline; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const pids = await list();
    const opened = pids.map((pid) => services.kernel.openProcess(pid)).filter((fd) => fd !== undefined);
    try {
      if (opened.length === 0) return;
      // Compared while the pidfds hold them: none of them can have become another process.
      const still = await list();
      if (pids.every((pid) => still.includes(pid))) for (const fd of opened) services.kernel.signalProcess(fd, SIGKILL);
    } finally {
      for (const fd of opened) services.kernel.close(fd);
    }
    await delay(pauseMs);
  }
}

import { dirname } from 'node:path';
import { emptyPart, type PlanPart } from '../../runtime/container-spec.js';
import { containerCgroup } from '../container-cgroup.js';
import type { ContainerRecord } from '../container-record.js';
import type { ContainerServices } from '../container-services.js';

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
  const joins = join.map((each) => (`${each.path}/`.startsWith(`${above}/`) ? { ...each, path: directory } : each));
  return {
    part: {
      ...emptyPart,
      prepare: [{ op: 'make-directory', path: directory, mode: 0o755 }, ...joins],
      cleanup: [{ op: 'remove-directory', path: directory }],
    },
    directory,
  };
}

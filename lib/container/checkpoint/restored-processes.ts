import { join } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';
import type { CgroupPlan } from '../../runtime/cgroup/cgroup.js';
import type { CgroupHost } from '../../runtime/cgroup/cgroup-host.js';
import type { RestoredProcesses } from '../../runtime/container-spec.js';
import { maskedPaths } from '../../runtime/default-security.js';
import { containerCgroup } from '../container-cgroup.js';
import { containerFiles } from '../container-files.js';
import type { ContainerRecord } from '../container-record.js';
import type { ContainerServices } from '../container-services.js';
import { checkpointFiles, checkpointName, checkpointsDirectory, readCheckpoint } from './checkpoint-files.js';
import { outsideSources } from './outside-resources.js';
import type { MountRestrictions } from './restrictions.js';

/** With what is to be true of them afterwards. */
export interface CheckpointedProcesses extends RestoredProcesses {
  readonly mounts: readonly MountRestrictions[];
  /** Targets of what masks a file. */
  readonly masked: ReadonlySet<string>;
}

/** What has the supervisor make the processes of a checkpoint again. @throws EngineError `NO_SUCH_CHECKPOINT`, `CRIU_MISSING`. */
export function restoredProcesses(
  services: ContainerServices,
  record: ContainerRecord,
  checkpoint: string,
): CheckpointedProcesses {
  const { layout, checkpointer } = services;
  const name = checkpointName(checkpoint);
  const files = checkpointFiles(join(checkpointsDirectory(layout, record.id), name));
  const { outside, tcpEstablished, fileLocks, mounts } = readCheckpoint(files, record.id, name);
  const sources = sourcesOf(services, record);
  const unknown = outside.mounts.find((target) => !sources.has(target));
  if (unknown !== undefined)
    throw new EngineError('CORRUPT_RECORD', { path: files.record, expected: `no mount at ${unknown}` });
  const directory = join(containerFiles(layout, record.id).runDirectory, 'restore');
  const command = checkpointer.restoreCommand({
    ...{ images: files.images, outside, tcpEstablished, fileLocks, directory },
    root: layout.rootTarget(),
    sources,
  });
  const groups = cgroupSources(services.host.cgroups, containerCgroup(services, record));
  const protectedSources = record.config.privileged === true ? [] : [...groups.values()];
  return { directory, command, protectedSources, mounts, masked: new Set(maskedOf(services, record)) };
}

function maskedOf({ host }: ContainerServices, { config }: ContainerRecord): readonly string[] {
  return config.maskedPaths ?? maskedPaths(host.processors);
}

/** See {@link outsideSources}. */
export function sourcesOf(services: ContainerServices, record: ContainerRecord): ReadonlyMap<string, string> {
  const { layout, host } = services;
  const { id, config } = record;
  const masked = maskedOf(services, record);
  const cgroups = cgroupSources(host.cgroups, containerCgroup(services, record));
  return outsideSources(layout, id, config, cgroups, masked);
}

/** The container's own groups, as /sys/fs/cgroup in it shows them. */
function cgroupSources(host: CgroupHost, { join: joins }: CgroupPlan): ReadonlyMap<string, string> {
  if (host.version === 'none') return new Map();
  const groups = joins.map(({ path }) => path);
  if (host.version === 'v2') return new Map(groups.map((group) => ['/sys/fs/cgroup', group]));
  return new Map(
    [...new Set(Object.values(host.hierarchies))].flatMap((hierarchy) => {
      const group = groups.find((each) => each.startsWith(`${hierarchy}/`));
      const name = hierarchy.slice(hierarchy.lastIndexOf('/') + 1);
      return group === undefined ? [] : [[`/sys/fs/cgroup/${name}`, group] as const];
    }),
  );
}

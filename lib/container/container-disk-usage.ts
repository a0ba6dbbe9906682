import { directoryBytes } from '../util/directory-bytes.js';
import { containerState } from './container-cgroup.js';
import { containerFiles } from './container-files.js';
import type { ContainerServices } from './container-services.js';
import type { ContainerStatus } from './container-state.js';

/** What one container takes on disk. */
export interface ContainerDiskUsage {
  readonly id: string;
  readonly name: string;
  readonly status: ContainerStatus;
  /** What it has written, and its log; what it has in memory or in volumes is not counted. */
  readonly sizeBytes: number;
}

/** What all containers take on disk. */
export interface ContainersDiskUsage {
  readonly containers: readonly ContainerDiskUsage[];
  readonly sizeBytes: number;
  /** What `containers.prune()` would free of it: that of containers which do not run. */
  readonly reclaimableBytes: number;
}

/** Counts what is stored; those that cannot be read are left out. */
export async function containersDiskUsage(services: ContainerServices): Promise<ContainersDiskUsage> {
  const containers: ContainerDiskUsage[] = [];
  for (const record of (await services.records.survey()).records) {
    const sizeBytes = await directoryBytes(containerFiles(services.layout, record.id).directory);
    const { status } = containerState(services, record);
    containers.push({ id: record.id, name: record.name, status, sizeBytes });
  }
  const sum = (those: readonly ContainerDiskUsage[]): number => those.reduce((all, each) => all + each.sizeBytes, 0);
  const idle = containers.filter(({ status }) => status === 'created' || status === 'exited');
  return { containers, sizeBytes: sum(containers), reclaimableBytes: sum(idle) };
}

import type { CgroupFiles, CgroupPlan } from '../runtime/cgroup/cgroup.js';
import { isFrozenNow } from '../runtime/cgroup/freeze-cgroup.js';
import { containerFiles, readState } from './container-files.js';
import { currentRecord } from './container-limits.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import type { ContainerState } from './container-state.js';

/** The groups of a container, with the limits that it has now. @throws EngineError `CONTROLLER_MISSING`. */
export function containerCgroup(services: ContainerServices, record: ContainerRecord): CgroupPlan {
  const { id, config } = currentRecord(services, record);
  return services.cgroups.plan({ id, resources: config.resources });
}

/** Where its counters and controls are; these do not depend on its limits. */
export function cgroupFiles(services: ContainerServices, { id }: Pick<ContainerRecord, 'id'>): CgroupFiles {
  return services.cgroups.plan({ id, resources: {} }).files;
}

/** What a container is doing, whoever started or paused it. */
export function containerState(services: ContainerServices, record: Pick<ContainerRecord, 'id'>): ContainerState {
  const state = readState(containerFiles(services.layout, record.id));
  if (state.status !== 'running') return state;
  return isFrozenNow(cgroupFiles(services, record), services.cgroupControl) ? { ...state, status: 'paused' } : state;
}

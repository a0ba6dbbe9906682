import type { CgroupFiles, CgroupPlan } from '../runtime/cgroup/cgroup.js';
import { delegateGroups } from '../runtime/cgroup/delegate-groups.js';
import { isFrozenNow } from '../runtime/cgroup/freeze-cgroup.js';
import { rootOf } from '../runtime/user-maps.js';
import { containerFiles, readState } from './container-files.js';
import { currentRecord } from './container-limits.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import type { ContainerState } from './container-state.js';
import { deviceRulesOf } from './resolve-devices.js';

/** The groups of a container, with the limits that it has now. @throws EngineError `CONTROLLER_MISSING`. */
export function containerCgroup(services: ContainerServices, record: ContainerRecord): CgroupPlan {
  const { id, config } = currentRecord(services, record);
  const { resources, cgroupParent: parent, namespaces } = config;
  const plan = services.cgroups.plan({ id, parent, resources, devices: deviceRulesOf(config) });
  if (config.writableCgroups !== true) return plan;
  return delegateGroups(plan, namespaces?.users && rootOf(namespaces.users));
}

/** Where its counters and controls are; these do not depend on its limits. */
export function cgroupFiles(services: ContainerServices, { id, config }: ContainerRecord): CgroupFiles {
  return services.cgroups.plan({ id, parent: config.cgroupParent, resources: {} }).files;
}

/** What a container is doing, whoever started or paused it. */
export function containerState(services: ContainerServices, record: ContainerRecord): ContainerState {
  const state = readState(containerFiles(services.layout, record.id));
  if (state.status !== 'running') return state;
  return isFrozenNow(cgroupFiles(services, record), services.cgroupControl) ? { ...state, status: 'paused' } : state;
}

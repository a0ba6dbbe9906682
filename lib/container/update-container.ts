import { existsSync } from 'node:fs';
import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import type { CgroupResources } from '../runtime/cgroup/resources.js';
import { updateCgroup } from '../runtime/cgroup/update-cgroup.js';
import { encodePlan } from '../runtime/encode-plan.js';
import { writeFileAtomically } from '../util/atomic-file.js';
import { toFileError } from '../util/file-error.js';
import { checkResourceOptions } from './check-options.js';
import { cgroupFiles, containerCgroup, containerState } from './container-cgroup.js';
import { containerFiles } from './container-files.js';
import { currentRecord, limitsFile, saveLimits } from './container-limits.js';
import type { ResourceOptions } from './container-options.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import { resolveResources } from './resolve-resources.js';

/** Limits to change. */
export interface UpdateOptions extends ResourceOptions, Abortable {}

/**
 * Gives a container other limits: those that run at once, the others with their next start. The caller holds the
 * container's lock.
 *
 * @throws EngineError `INVALID_OPTION`, `CONTROLLER_MISSING`, `SYSTEM_CALL_FAILED` for a limit that the kernel refuses.
 * Then all limits are what they were.
 */
export async function updateContainer(
  services: ContainerServices,
  record: ContainerRecord,
  options: UpdateOptions,
): Promise<void> {
  const { signal, ...limits } = options;
  checkResourceOptions(limits);
  const { id } = record;
  const current = currentRecord(services, record).config.resources;
  const next = resolveResources(limits, current);
  const { cgroupParent: parent } = record.config;
  services.cgroups.plan({ id, parent, resources: next }); // what this host cannot keep is told for a stopped container, too
  signal?.throwIfAborted();
  await applyToRunning(services, record, current, next);
  services.events.updated(record, next);
}

async function applyToRunning(
  services: ContainerServices,
  record: ContainerRecord,
  current: CgroupResources,
  next: CgroupResources,
): Promise<void> {
  const { cgroups, cgroupControl } = services;
  const { cgroupParent: parent } = record.config;
  const files = cgroupFiles(services, record);
  const change = (from: CgroupResources, to: CgroupResources): Promise<() => Promise<void>> =>
    updateCgroup(cgroups, files, { id: record.id, parent, current: from, next: to }, cgroupControl);
  const isAlive = (): boolean => ['running', 'paused'].includes(containerState(services, record).status);
  let enterAgain = async (): Promise<void> => undefined;
  if (isAlive()) {
    try {
      enterAgain = await change(current, next);
    } catch (error) {
      // Without its groups, since it has ended in this moment, nothing could be written, and need not be.
      if (EngineError.is(error, 'SYSTEM_CALL_FAILED') && !isAlive()) return save(services, record, next);
      throw error;
    }
  }
  try {
    await save(services, record, next);
  } catch (error) {
    if (isAlive()) await change(next, current);
    throw error;
  }
  await enterAgain(); // a process that has joined meanwhile did not know of new groups before they were on record
}

async function save(services: ContainerServices, record: ContainerRecord, resources: CgroupResources): Promise<void> {
  try {
    await saveLimits(services, record, resources);
    if (record.config.restart !== undefined) await savePlan(services, record);
  } catch (error) {
    throw toFileError(error, limitsFile(services, record));
  }
}

/** Its supervisor starts it again without any engine: with these groups from now on. */
async function savePlan(services: ContainerServices, record: ContainerRecord): Promise<void> {
  const { runDirectory, limitsPlan } = containerFiles(services.layout, record.id);
  if (!existsSync(runDirectory)) return; // never started since the host has: the next start has its own plan
  const { prepare } = containerCgroup(services, record);
  const plan = encodePlan({ namespaces: [], prepare, parent: [], child: [], cleanup: [] });
  await writeFileAtomically(limitsPlan, plan, 'volatile');
}

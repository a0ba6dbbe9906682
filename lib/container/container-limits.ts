import { readFileSync, statSync } from 'node:fs';
import { type Decoder, decodeJson, literal, record } from '../core/decode.js';
import type { CgroupResources } from '../runtime/cgroup/resources.js';
import { writeFileAtomically } from '../util/atomic-file.js';
import { containerResources } from './container-config.js';
import { containerFiles } from './container-files.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';

/** What `limits.json` holds: the one part of a container that changes while it exists. */
const limitsRecord: Decoder<{ readonly version: 1; readonly resources: CgroupResources }> = record({
  version: literal(1),
  resources: containerResources,
});

/** The record with the limits that the last update, by whatever process, has set. @throws EngineError `CORRUPT_RECORD`. */
export function currentRecord(services: Pick<ContainerServices, 'layout'>, record: ContainerRecord): ContainerRecord {
  const limits = limitsFile(services, record);
  if (statSync(limits, { throwIfNoEntry: false }) === undefined) return record; // nearly always: nothing is thrown then
  const { resources } = decodeJson(readFileSync(limits, 'utf8'), limitsRecord, limits);
  return { ...record, config: { ...record.config, resources } };
}

/** Replaces the limits in one step; those of a detached container survive a power cut. */
export async function saveLimits(
  services: Pick<ContainerServices, 'layout'>,
  record: ContainerRecord,
  resources: CgroupResources,
): Promise<void> {
  const durability = record.config.lifetime === 'detached' ? 'durable' : 'volatile';
  await writeFileAtomically(limitsFile(services, record), JSON.stringify({ version: 1, resources }), durability);
}

/** Changes with each update. */
export function limitsMark(services: Pick<ContainerServices, 'layout'>, record: ContainerRecord): string {
  const found = statSync(limitsFile(services, record), { throwIfNoEntry: false, bigint: true });
  return found === undefined ? '' : `${found.ino} ${found.mtimeNs}`;
}

export function limitsFile(services: Pick<ContainerServices, 'layout'>, { id, config }: ContainerRecord): string {
  const { limits, runLimits } = containerFiles(services.layout, id);
  return config.lifetime === 'detached' ? limits : runLimits;
}

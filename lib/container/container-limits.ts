import { readFileSync, statSync } from 'node:fs';
import { type Decoder, decodeJson, literal, record } from '../core/decode.js';
import type { CgroupResources } from '../runtime/cgroup/resources.js';
import { writeFileAtomically } from '../util/atomic-file.js';
import { containerResources } from './container-config.js';
import { containerFiles } from './container-files.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';

/** What `containers/ID/limits.json` holds: the one part of a container that changes while it exists. */
const limitsRecord: Decoder<{ readonly version: 1; readonly resources: CgroupResources }> = record({
  version: literal(1),
  resources: containerResources,
});

/** The record with the limits that the last update, by whatever process, has set. @throws EngineError `CORRUPT_RECORD`. */
export function currentRecord(services: Pick<ContainerServices, 'layout'>, record: ContainerRecord): ContainerRecord {
  const { limits } = containerFiles(services.layout, record.id);
  if (statSync(limits, { throwIfNoEntry: false }) === undefined) return record; // nearly always: nothing is thrown then
  const { resources } = decodeJson(readFileSync(limits, 'utf8'), limitsRecord, limits);
  return { ...record, config: { ...record.config, resources } };
}

/** Replaces the limits in one step; those of a detached container survive a power cut. */
export async function saveLimits(
  services: Pick<ContainerServices, 'layout'>,
  { id, config }: ContainerRecord,
  resources: CgroupResources,
): Promise<void> {
  const { limits } = containerFiles(services.layout, id);
  const durability = config.lifetime === 'detached' ? 'durable' : 'volatile';
  await writeFileAtomically(limits, JSON.stringify({ version: 1, resources }), durability);
}

/** Changes with each update. */
export function limitsMark(services: Pick<ContainerServices, 'layout'>, id: string): string {
  const found = statSync(containerFiles(services.layout, id).limits, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? '' : `${found.ino} ${found.mtimeNs}`;
}

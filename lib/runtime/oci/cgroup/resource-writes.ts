import { EngineError } from '../../../core/errors/engine-error.js';
import type { OciResources } from '../oci-resources.js';
import type { CgroupHierarchy } from './cgroup-view.js';
import type { CgroupWrite, ReadCgroupFile } from './cgroup-write.js';
import { deviceWrites } from './device-writes.js';
import { v1Writes } from './v1-writes.js';
import { v2Writes } from './v2-writes.js';

/**
 * The writes that bring resources about, in the order that the kernel accepts.
 *
 * @throws EngineError `CONTROLLER_MISSING` for what the host cannot do: a limit is never left out silently.
 */
export function resourceWrites(
  resources: OciResources,
  version: 'v1' | 'v2',
  hierarchies: readonly CgroupHierarchy[],
  read: ReadCgroupFile,
  purpose: 'create' | 'update',
): readonly CgroupWrite[] {
  const writes = version === 'v1' ? v1Writes(resources, hierarchies, read) : v2Writes(resources, hierarchies);
  // Devices are decided when the container is made: an update that brings them along, as some callers do, changes none.
  if (version === 'v2' || purpose === 'update') return writes;
  if (hierarchies.some((each) => each.controllers.includes('devices')))
    return [...writes, ...deviceWrites(resources.devices ?? [])];
  if (resources.devices === undefined) return writes;
  const hint = 'no v1 hierarchy has it';
  throw new EngineError('CONTROLLER_MISSING', { option: 'linux.resources.devices', controller: 'devices', hint });
}

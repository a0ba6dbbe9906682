import type { IdMapping, UserMaps } from '../runtime/container-spec.js';
import type { ContainerOptions } from './container-options.js';
import { invalidOption } from './invalid-option.js';
import type { UserNamespaceOption } from './isolation-options.js';

/** One more than the highest id; the last one means "none" to the kernel. */
const IDS = 0xffff_ffff;
/** The kernel takes so many lines. @see user_namespaces(7) */
const MOST = 340;

/** @throws EngineError `INVALID_OPTION` for maps that make no sense, and for options that a user namespace cannot have. */
export function resolveUsers(options: ContainerOptions): UserMaps | undefined {
  const { userns = 'host' } = options;
  if (userns === 'host') return undefined;
  if (typeof userns !== 'object' || userns === null) throw invalidOption('userns', "'host' or { uids, gids }", userns);
  refuseConflicts(options);
  return { uids: checkMap(userns, 'uids'), gids: checkMap(userns, 'gids') };
}

function refuseConflicts({ privileged, pid, ipc, network, rootfs }: ContainerOptions): void {
  const conflicts = {
    privileged: privileged === true,
    pid: pid !== undefined && pid !== 'private',
    ipc: ipc === 'host' || ipc?.startsWith('container:') === true,
    network: network === 'host',
    rootfs: rootfs !== undefined && 'host' in rootfs,
  };
  for (const [option, isGiven] of Object.entries(conflicts)) {
    if (isGiven) throw invalidOption(option, 'nothing of the host’s or of another container with userns', 'given');
  }
}

function checkMap(option: UserNamespaceOption, name: 'uids' | 'gids'): readonly IdMapping[] {
  const ranges: unknown = option[name];
  const at = `userns.${name}`;
  if (!Array.isArray(ranges) || ranges.length === 0 || ranges.length > MOST)
    throw invalidOption(at, `a list of 1 to ${MOST} ranges`, ranges);
  const mappings = ranges.map((range) => checkRange(range, at));
  if (!mappings.some(({ containerId }) => containerId === 0))
    throw invalidOption(at, 'a range for id 0 of the container', ranges);
  for (const side of ['containerId', 'hostId'] as const) {
    const sorted = [...mappings].sort((a, b) => a[side] - b[side]);
    const overlaps = sorted.some((each, index) => {
      const next = sorted[index + 1];
      return next !== undefined && each[side] + each.size > next[side];
    });
    if (overlaps) throw invalidOption(at, 'ranges that do not overlap', ranges);
  }
  return mappings;
}

function checkRange(range: unknown, at: string): IdMapping {
  const { containerId, hostId, size } = (range ?? {}) as Partial<IdMapping>;
  const isId = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0;
  if (!isId(containerId) || !isId(hostId) || !isId(size) || size === 0 || Math.max(containerId, hostId) + size > IDS)
    throw invalidOption(at, 'ranges { containerId, hostId, size } of ids below 4294967295', range);
  return { containerId, hostId, size };
}

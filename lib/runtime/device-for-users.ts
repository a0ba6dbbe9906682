import { statSync } from 'node:fs';
import { deviceNumber } from '../core/device-number.js';
import type { PlanOperation } from './launch-plan.js';

/** A device node that a container is to have. */
export interface SpecDevice {
  readonly path: string;
  readonly kind: 'char' | 'block' | 'fifo';
  readonly major: number;
  readonly minor: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC: a bound device is no program, whatever the host's /dev allows. */
const DEVICE_ATTRIBUTES = 0xan;
const MS_PRIVATE = 1 << 18;

/**
 * Makes a device as a mount in `slot`, in stage `prepare`: in a user namespace mknod(2) is refused, so there the host's own is
 * bound, or a node that the shim makes.
 */
export function deviceForUsers(device: SpecDevice, slot: number): PlanOperation[] {
  if (!isOnHost(device)) {
    const { kind, mode, major, minor, uid, gid } = device;
    return [{ op: 'make-node-mount', slot, kind, mode, major, minor, uid, gid }];
  }
  const attributes = { set: DEVICE_ATTRIBUTES, clear: 0n, propagation: MS_PRIVATE, recursive: false };
  return [
    { op: 'make-mount', slot, type: '', source: device.path, options: [], recursive: false, noFollow: true },
    { op: 'mount-attributes', slot, ...attributes, idMapSlot: undefined },
  ];
}

function isOnHost({ path, kind, major, minor }: SpecDevice): boolean {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return false;
  const isSameKind = kind === 'char' ? status.isCharacterDevice() : kind === 'block' && status.isBlockDevice();
  const number = deviceNumber(status.rdev);
  return isSameKind && number.major === major && number.minor === minor;
}

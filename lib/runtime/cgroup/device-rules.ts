import { defaultDevices } from '../default-security.js';

/**
 * A device, or with `*` all of them, that may be read, written, or made with mknod(2). Of several rules for one device
 * the last that names an access decides about it; what none names is denied.
 */
export interface DeviceRule {
  /** Default true; false takes back what earlier rules allow. */
  readonly allow?: boolean;
  readonly type: 'char' | 'block';
  readonly major: number | '*';
  readonly minor: number | '*';
  /** Some of `r`, `w`, `m`. */
  readonly access: string;
}

/**
 * What a container may do with devices unless told otherwise. Making a node for any device is harmless as long as
 * opening it is not allowed, and package managers do so.
 */
export const defaultDeviceRules: readonly DeviceRule[] = [
  { type: 'char', major: '*', minor: '*', access: 'm' },
  { type: 'block', major: '*', minor: '*', access: 'm' },
  ...defaultDevices.map(({ type, major, minor }) => ({ type, major, minor, access: 'rwm' })),
  { type: 'char', major: 5, minor: 1, access: 'rwm' }, // /dev/console
  { type: 'char', major: 5, minor: 2, access: 'rwm' }, // /dev/ptmx
  { type: 'char', major: 136, minor: '*', access: 'rwm' }, // /dev/pts/N
];

/** A line of `devices.allow`. @see kernel Documentation/admin-guide/cgroup-v1/devices.rst */
export function formatDeviceRule(rule: DeviceRule): string {
  return `${rule.type === 'char' ? 'c' : 'b'} ${rule.major}:${rule.minor} ${rule.access}`;
}

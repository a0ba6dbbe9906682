import { statSync } from 'node:fs';
import { normalize } from 'node:path';
import { defaultDeviceLinks, defaultDevices } from '../default-security.js';
import type { PlanOperation } from '../launch-plan.js';
import { invalidConfig } from './invalid-config.js';
import type { OciConfig } from './oci-config.js';
import type { OciDevice } from './oci-linux.js';
import type { Slots } from './slots.js';

export interface DevicePlan {
  readonly prepare: readonly PlanOperation[];
  readonly child: readonly PlanOperation[];
}

interface Device {
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
 * The default devices and those of the configuration. In a user namespace mknod(2) is refused: there the host's device is
 * bound, or a node that the shim makes.
 */
export function planDevices(config: OciConfig, inUserNamespace: boolean, slots: Slots): DevicePlan {
  const hostDev = (config.mounts ?? []).some(
    ({ destination, type, options = [] }) =>
      normalize(destination) === '/dev' && (type === 'bind' || options.includes('bind') || options.includes('rbind')),
  );
  const listed = (config.linux?.devices ?? []).map(deviceOf);
  const basics: Device[] = hostDev
    ? []
    : defaultDevices
        .filter(({ path }) => !listed.some((each) => each.path === path))
        .map(({ path, type, major, minor, mode }) => ({ path, kind: type, major, minor, mode, uid: 0, gid: 0 }));
  const links: PlanOperation[] = hostDev
    ? []
    : defaultDeviceLinks.map(({ path, target }) => ({ op: 'symlink', path, destination: target }));
  const console: PlanOperation[] =
    config.process?.terminal === true && !hostDev
      ? [{ op: 'ensure-node', path: '/dev/console', kind: 'file', mode: 0o600, major: 0, minor: 0, uid: 0, gid: 0 }]
      : [];
  if (!inUserNamespace) {
    const nodes = [...basics, ...listed].map((device): PlanOperation => ({ op: 'ensure-node', ...device }));
    return { prepare: [], child: [...nodes, ...links, ...console] };
  }
  const bound = [...basics, ...listed].map((device) => ({ device, slot: slots.mount() }));
  return {
    prepare: bound.flatMap(({ device, slot }) => makeForUsers(device, slot)),
    child: [
      ...bound.map(
        ({ device, slot }): PlanOperation => ({
          op: 'place-mount',
          slot,
          target: device.path,
          noLinks: device.path.startsWith('/dev/'),
          copyUp: false,
          inheritMode: false,
          noFollow: false,
        }),
      ),
      ...links,
      ...console,
    ],
  };
}

const kinds = { c: 'char', u: 'char', b: 'block', p: 'fifo' } as const;

function deviceOf(device: OciDevice, index: number): Device {
  const { path, type, major, minor } = device;
  const at = `config.json.linux.devices[${index}]`;
  const clean = normalize(path).replace(/\/$/, '');
  if (clean === '') invalidConfig(`${at}.path`, 'expected the path of a device');
  if (type !== 'p' && (major === undefined || minor === undefined || major < 0 || minor < 0))
    invalidConfig(at, 'major and minor are needed');
  return {
    path: clean,
    kind: kinds[type],
    major: major ?? 0,
    minor: minor ?? 0,
    mode: (device.fileMode ?? 0o666) & 0o7777,
    uid: device.uid ?? 0,
    gid: device.gid ?? 0,
  };
}

function makeForUsers(device: Device, slot: number): PlanOperation[] {
  if (!isOnHost(device)) {
    const { kind, mode, major, minor, uid, gid } = device;
    return [{ op: 'make-node-mount', slot, kind, mode, major, minor, uid, gid }];
  }
  return [
    { op: 'make-mount', slot, type: '', source: device.path, options: [], recursive: false, noFollow: true },
    {
      op: 'mount-attributes',
      slot,
      set: DEVICE_ATTRIBUTES,
      clear: 0n,
      propagation: MS_PRIVATE,
      recursive: false,
      idMapSlot: undefined,
    },
  ];
}

function isOnHost({ path, kind, major, minor }: Device): boolean {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return false;
  const sameKind = kind === 'char' ? status.isCharacterDevice() : kind === 'block' && status.isBlockDevice();
  return sameKind && status.rdev === deviceNumber(major, minor);
}

/** @see makedev(3) */
const deviceNumber = (major: number, minor: number): number => (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);

import { normalize } from 'node:path';
import { defaultDeviceLinks, defaultDevices } from '../default-security.js';
import { deviceForUsers, type SpecDevice } from '../device-for-users.js';
import type { PlanOperation } from '../launch-plan.js';
import { invalidConfig } from './invalid-config.js';
import type { OciConfig } from './oci-config.js';
import type { OciDevice } from './oci-linux.js';
import type { Slots } from './slots.js';

export interface DevicePlan {
  readonly prepare: readonly PlanOperation[];
  readonly child: readonly PlanOperation[];
}

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
  const basics: SpecDevice[] = hostDev
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
    prepare: bound.flatMap(({ device, slot }) => deviceForUsers(device, slot)),
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

function deviceOf(device: OciDevice, index: number): SpecDevice {
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

import { formatDeviceRule } from '../../cgroup/device-rules.js';
import type { OciDeviceRule } from '../oci-resources.js';
import type { CgroupWrite } from './cgroup-write.js';
import { ociDeviceRules } from './oci-device-rules.js';

/**
 * Writes of the v1 device list: everything is forbidden, then the rules follow in their order.
 *
 * @see kernel Documentation/admin-guide/cgroup-v1/devices.rst
 */
export function deviceWrites(rules: readonly OciDeviceRule[]): readonly CgroupWrite[] {
  const write = (file: string, data: string): CgroupWrite => {
    return { controller: 'devices', file, data, option: 'linux.resources.devices' };
  };
  return [
    write('devices.deny', 'a'),
    ...ociDeviceRules(rules).map((rule) =>
      write(rule.allow === false ? 'devices.deny' : 'devices.allow', formatDeviceRule(rule)),
    ),
  ];
}

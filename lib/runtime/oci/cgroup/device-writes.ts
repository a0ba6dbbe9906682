import { defaultDeviceRules, formatDeviceRule } from '../../cgroup/device-rules.js';
import { invalidConfig } from '../invalid-config.js';
import type { OciDeviceRule } from '../oci-resources.js';
import type { CgroupWrite } from './resource-writes.js';

/**
 * Writes of the v1 device list: everything is forbidden, then the devices are allowed that every container has, then
 * the rules of the configuration follow in their order.
 *
 * @see kernel Documentation/admin-guide/cgroup-v1/devices.rst
 */
export function deviceWrites(rules: readonly OciDeviceRule[], purpose: 'create' | 'update'): readonly CgroupWrite[] {
  const option = 'linux.resources.devices';
  const write = (file: string, data: string): CgroupWrite => ({ controller: 'devices', file, data, option });
  const basics = [
    write('devices.deny', 'a'),
    ...defaultDeviceRules.map((rule) => write('devices.allow', formatDeviceRule(rule))),
  ];
  const listed = rules.flatMap((rule, index) => {
    const file = rule.allow ? 'devices.allow' : 'devices.deny';
    if (isEverything(rule)) return rule.allow ? [write(file, 'a')] : basics;
    return [...typesOf(rule, index)].map((type) =>
      write(file, `${type} ${numberOrAll(rule.major)}:${numberOrAll(rule.minor)} ${accessOf(rule, index)}`),
    );
  });
  return purpose === 'create' && !(rules[0] !== undefined && isEverything(rules[0])) ? [...basics, ...listed] : listed;
}

/** Rules for what is neither character nor block device mean both. */
const typesOf = (rule: OciDeviceRule, index: number): string => {
  if (rule.type === undefined || rule.type === 'a') return 'cb';
  if (rule.type === 'c' || rule.type === 'b' || rule.type === 'u') return rule.type === 'u' ? 'c' : rule.type;
  return invalidConfig(`linux.resources.devices[${index}].type`, `expected a, b or c, got '${rule.type}'`);
};

const isAll = (number: number | undefined): boolean => number === undefined || number < 0;
const numberOrAll = (number: number | undefined): string => (isAll(number) ? '*' : String(number));

const isEverything = (rule: OciDeviceRule): boolean =>
  (rule.type === undefined || rule.type === 'a') &&
  isAll(rule.major) &&
  isAll(rule.minor) &&
  ['', 'rwm'].includes([...(rule.access ?? '')].sort((a, b) => 'rwm'.indexOf(a) - 'rwm'.indexOf(b)).join(''));

function accessOf(rule: OciDeviceRule, index: number): string {
  const access = rule.access ?? 'rwm';
  return /^[rwm]{1,3}$/.test(access)
    ? access
    : invalidConfig(`linux.resources.devices[${index}].access`, `expected some of rwm, got '${access}'`);
}

import { type DeviceRule, defaultDeviceRules } from '../../cgroup/device-rules.js';
import { invalidConfig } from '../invalid-config.js';
import type { OciDeviceRule } from '../oci-resources.js';

/**
 * The rules of a configuration, behind those for the devices that every container has. A rule that denies everything, with
 * which most lists begin, takes back what is before it but for those.
 *
 * @throws EngineError `INVALID_OCI_CONFIG`.
 * @see OCI runtime-spec, config-linux.md, "Allowed Device list"
 */
export function ociDeviceRules(rules: readonly OciDeviceRule[]): readonly DeviceRule[] {
  let result: DeviceRule[] = [...defaultDeviceRules];
  for (const [index, rule] of rules.entries()) {
    if (!rule.allow && isEverything(rule)) {
      result = [...defaultDeviceRules];
      continue;
    }
    const path = `linux.resources.devices[${index}]`;
    const access = accessOf(rule, path);
    const [major, minor] = [numberOrAll(rule.major), numberOrAll(rule.minor)];
    for (const type of typesOf(rule, path)) result.push({ allow: rule.allow, type, major, minor, access });
  }
  return result;
}

const isAll = (number: number | undefined): boolean => number === undefined || number < 0;
const numberOrAll = (number: number | undefined): number | '*' => (number === undefined || number < 0 ? '*' : number);

function isEverything(rule: OciDeviceRule): boolean {
  const access = new Set(rule.access ?? 'rwm');
  return (
    (rule.type ?? 'a') === 'a' && isAll(rule.major) && isAll(rule.minor) && (access.size === 0 || access.size === 3)
  );
}

/** A rule for no kind in particular is for both. */
function typesOf({ type = 'a' }: OciDeviceRule, path: string): readonly DeviceRule['type'][] {
  if (type === 'a') return ['char', 'block'];
  if (type === 'b') return ['block'];
  return type === 'c' || type === 'u' ? ['char'] : invalidConfig(`${path}.type`, `expected a, b or c, got '${type}'`);
}

function accessOf({ access = 'rwm' }: OciDeviceRule, path: string): string {
  if (access === '') return 'rwm';
  return /^[rwm]{1,3}$/.test(access)
    ? access
    : invalidConfig(`${path}.access`, `expected some of rwm, got '${access}'`);
}

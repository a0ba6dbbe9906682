import { invalidConfig } from '../invalid-config.js';

/**
 * Where a container's cgroup is, below the root of each hierarchy, with a leading slash.
 *
 * With `systemd` the path has systemd's form `slice:prefix:name`; the group is made where systemd would make it, by us.
 *
 * @throws EngineError `INVALID_OCI_CONFIG` for a path that leads elsewhere.
 */
export function ociCgroupPath(cgroupsPath: string | undefined, id: string, systemd: boolean): string {
  if (cgroupsPath === undefined || cgroupsPath === '') return `/${defaultPrefix}${id}`;
  const path = systemd ? systemdPath(cgroupsPath) : cgroupsPath;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.length === 0 || parts.some((part) => part === '..' || part.length > 255 || !isPlain(part)))
    return invalidConfig('config.json.linux.cgroupsPath', `'${cgroupsPath.slice(0, 200)}' is no path below the root`);
  return `/${parts.join('/')}`;
}

/** Groups without a path of their own are right below the root: they share no directory that one could remove under another. */
const defaultPrefix = 'tscontainer-oci-';

/** Not one of the kernel's own files. */
const isPlain = (part: string): boolean =>
  !/[\n\0]/.test(part) && !/^(?:cgroup|memory|cpu|cpuset|pids|io|devices|freezer)\.|^tasks$/.test(part);

function systemdPath(text: string): string {
  const [slice = '', prefix = '', name = ''] = text.split(':');
  if (text.split(':').length !== 3 || name === '')
    return invalidConfig('config.json.linux.cgroupsPath', `expected slice:prefix:name, got '${text.slice(0, 200)}'`);
  const unit = name.endsWith('.slice') ? name : prefix === '' ? `${name}.scope` : `${prefix}-${name}.scope`;
  return `${expandSlice(slice === '' ? 'system.slice' : slice)}/${unit}`;
}

/** `a-b.slice` is inside `a.slice`. @see systemd.slice(5) */
function expandSlice(slice: string): string {
  const parts = slice.replace(/\.slice$/, '').split('-');
  return parts.map((_, index) => `${parts.slice(0, index + 1).join('-')}.slice`).join('/');
}

import { existsSync, readFileSync } from 'node:fs';
import { EngineError } from '../../core/errors/engine-error.js';
import type { PlanOperation } from '../launch-plan.js';
import type { OciConfig } from './oci-config.js';
import type { OciProcess } from './oci-process.js';

/**
 * AppArmor and SELinux labels of the process.
 *
 * @throws EngineError `UNSUPPORTED_HOST` where the host has no such security module: a container that asks for
 * confinement does not run without.
 */
export function planLabels(process: Pick<OciProcess, 'apparmorProfile' | 'selinuxLabel'>): readonly PlanOperation[] {
  const { apparmorProfile, selinuxLabel } = process;
  const operations: PlanOperation[] = [];
  if (apparmorProfile !== undefined && apparmorProfile !== '') {
    if (!hasAppArmor()) throw absent('AppArmor', 'process.apparmorProfile');
    const file = existsSync('/proc/self/attr/apparmor/exec') ? 'apparmor/exec' : 'exec';
    operations.push({ op: 'label', file, label: `exec ${apparmorProfile}` });
  }
  if (selinuxLabel !== undefined && selinuxLabel !== '') {
    if (!hasSelinux()) throw absent('SELinux', 'process.selinuxLabel');
    operations.push({ op: 'label', file: 'exec', label: selinuxLabel });
  }
  return operations;
}

/** File systems that can carry a label of their own. */
const labelled = new Set(['tmpfs', 'devpts', 'mqueue']);

/** Adds `linux.mountLabel` to the mounts that take one. @throws EngineError `UNSUPPORTED_HOST`. */
export function withMountLabel(config: OciConfig): OciConfig {
  const label = config.linux?.mountLabel;
  if (label === undefined || label === '') return config;
  if (!hasSelinux()) throw absent('SELinux', 'linux.mountLabel');
  const mounts = (config.mounts ?? []).map((mount) =>
    labelled.has(mount.type ?? '') ? { ...mount, options: [...(mount.options ?? []), `context=${label}`] } : mount,
  );
  return { ...config, mounts };
}

export const hasSelinux = (): boolean => existsSync('/sys/fs/selinux/enforce');

export function hasAppArmor(): boolean {
  const file = '/sys/module/apparmor/parameters/enabled';
  return existsSync(file) && readFileSync(file, 'utf8').startsWith('Y');
}

const absent = (module: string, property: string): EngineError =>
  new EngineError('UNSUPPORTED_HOST', {
    missing: `${module.toLowerCase() === 'selinux' ? 'selinux' : 'apparmor'}, which ${property} asks for`,
    hint: `enable ${module} or leave the property out`,
  });

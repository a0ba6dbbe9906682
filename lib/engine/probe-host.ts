import { readFileSync } from 'node:fs';
import type { HostFacts } from '../container/container-services.js';
import { SeccompFilters } from '../container/seccomp-filters.js';
import type { Kernel } from '../kernel/kernel.js';
import type { CgroupFileAccess } from '../runtime/cgroup/probe-cgroups.js';
import { probeCgroups } from '../runtime/cgroup/probe-cgroups.js';
import { seccompArchitecture } from '../runtime/seccomp/architecture.js';
import { startTicksOf } from '../util/start-ticks.js';
import { checkKernel, checkPrivileges, ownCapabilities } from './preflight.js';

/** f_type of overlayfs, which cannot itself hold the upper directory of an overlay. @see statfs(2) */
const OVERLAYFS_SUPER_MAGIC = 0x794c7630;

/**
 * Finds out what this host offers, once.
 *
 * @throws EngineError `UNSUPPORTED_HOST`.
 */
export async function probeHost(kernel: Kernel, cgroupFiles: CgroupFileAccess): Promise<HostFacts> {
  const availableCapabilities = ownCapabilities();
  checkKernel();
  checkPrivileges(kernel.effectiveUserId(), availableCapabilities);
  const { pid } = process;
  return {
    cgroups: await probeCgroups(cgroupFiles, '/sys/fs/cgroup', readFileSync('/proc/self/cgroup', 'utf8')),
    seccomp: new SeccompFilters(seccompArchitecture(process.arch)),
    processors: possibleProcessors(),
    availableCapabilities,
    self: { pid, startTicks: startTicksOf(pid) ?? 0n },
  };
}

/** Why overlays cannot be used for what is below `root`; undefined when they can. */
export function overlayProblem(kernel: Kernel, root: string): string | undefined {
  if (!/^nodev\toverlay$/m.test(readFileSync('/proc/filesystems', 'latin1'))) return 'the kernel has no overlayfs';
  return kernel.fileSystemType(root) === OVERLAYFS_SUPER_MAGIC ? `${root} is itself on an overlay` : undefined;
}

/** `0-3,7` in numbers. @see kernel Documentation/admin-guide/cputopology.rst */
function possibleProcessors(): readonly number[] {
  const ranges = readFileSync('/sys/devices/system/cpu/possible', 'latin1').trim().split(',');
  return ranges.flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

import type { CgroupFiles } from '../../runtime/cgroup/cgroup.js';
import type { Controller } from '../../runtime/cgroup/cgroup-host.js';
import { type CgroupV1Directories, cgroupV1Files } from '../../runtime/cgroup/v1/cgroup-v1-files.js';
import { cgroupV2Files } from '../../runtime/cgroup/v2/cgroup-v2-files.js';
import type { ContainerRecord } from './container-record.js';

const counted: readonly Controller[] = ['memory', 'pids', 'cpu', 'io'];
const v1Controllers: readonly Controller[] = ['memory', 'pids', 'freezer', 'cpu', 'cpuacct', 'blkio'];

/** Counters and controls of a container's groups; a file that the host lacks is missing when it is read. */
export function cgroupFilesOf({ cgroup }: Pick<ContainerRecord, 'cgroup'>): CgroupFiles {
  const { version, directories, path } = cgroup;
  const [first] = directories;
  if (version === 'none' || first === undefined) return {};
  if (version === 'v2') return cgroupV2Files(first, counted);
  const found: CgroupV1Directories = {};
  for (const directory of directories) {
    // A hierarchy is mounted at a directory with the names of its controllers.
    const names = directory.slice(0, -path.length).split('/').at(-1)?.split(',') ?? [];
    for (const controller of v1Controllers) if (names.includes(controller)) found[controller] = directory;
  }
  return cgroupV1Files(found);
}

import type { BlockWeightFile } from './block-weight.js';
import type { CgroupHost, Controller } from './cgroup-host.js';

/** Read access to the cgroup file system; replaceable in tests. */
export interface CgroupFileAccess {
  /** The text of a small file, undefined when it does not exist or cannot be read. */
  readText(path: string): Promise<string | undefined>;
  /** Names in a directory, undefined when it does not exist. */
  list(path: string): Promise<readonly string[] | undefined>;
  /** A directory may be made in this one. */
  isWritable(directory: string): Promise<boolean>;
  /** The path without symbolic links, undefined when it does not exist. */
  realPath(path: string): Promise<string | undefined>;
}

const v1Controllers = ['memory', 'pids', 'devices', 'freezer', 'cpu', 'cpuacct', 'cpuset', 'blkio', 'hugetlb'] as const;
const v2Controllers = ['memory', 'pids', 'cpu', 'cpuset', 'io', 'hugetlb'] as const;

/**
 * Finds out which cgroups this process can use. `root` is where they are mounted, `selfCgroup` the content of
 * /proc/self/cgroup. Never throws for what it finds: a host without usable cgroups is an answer too.
 */
export async function probeCgroups(
  files: CgroupFileAccess,
  root = '/sys/fs/cgroup',
  selfCgroup = '',
): Promise<CgroupHost> {
  const unified = await files.readText(`${root}/cgroup.controllers`);
  if (unified !== undefined) return probeV2(files, root, unified, selfCgroup);
  const found = await Promise.all(
    v1Controllers.map(async (name) => ({ name, ...(await probeHierarchy(files, `${root}/${name}`)) })),
  );
  if (found.every((each) => each.directory === undefined)) {
    return { version: 'none', reason: `no cgroup hierarchy is mounted below ${root}` };
  }
  const usable = found.flatMap(({ name, directory, writable }) =>
    directory !== undefined && writable ? [[name, directory] as const] : [],
  );
  if (usable.length === 0) return { version: 'none', reason: `the cgroup hierarchies below ${root} are not writable` };
  const hierarchies: Partial<Record<Controller, string>> = Object.fromEntries(usable);
  const names = (hierarchies.memory !== undefined && (await files.list(hierarchies.memory))) || [];
  const beside = await files.readText(`${root}/unified/cgroup.controllers`);
  const cpuset = hierarchies.cpuset === undefined ? undefined : await readCpuset(files, hierarchies.cpuset);
  return {
    version: 'v1',
    hierarchies,
    swap: names.includes('memory.memsw.limit_in_bytes'),
    ...(cpuset && { cpuset }),
    hybrid: beside !== undefined,
    blockWeightFiles: await weightFiles(files, 'v1', hierarchies.blkio),
  };
}

async function probeHierarchy(
  files: CgroupFileAccess,
  path: string,
): Promise<{ directory: string | undefined; writable: boolean }> {
  const directory = await files.realPath(path);
  const isHierarchy = directory !== undefined && (await files.readText(`${directory}/cgroup.procs`)) !== undefined;
  if (!isHierarchy) return { directory: undefined, writable: false };
  return { directory, writable: await files.isWritable(directory) };
}

async function readCpuset(
  files: CgroupFileAccess,
  directory: string,
): Promise<{ cpus: string; mems: string } | undefined> {
  const cpus = await files.readText(`${directory}/cpuset.cpus`);
  const mems = await files.readText(`${directory}/cpuset.mems`);
  return cpus === undefined || mems === undefined ? undefined : { cpus: cpus.trim(), mems: mems.trim() };
}

async function probeV2(
  files: CgroupFileAccess,
  root: string,
  unified: string,
  selfCgroup: string,
): Promise<CgroupHost> {
  if (!(await files.isWritable(root)))
    return { version: 'none', reason: `the cgroup hierarchy ${root} is not writable` };
  const enabled = known((await files.readText(`${root}/cgroup.subtree_control`)) ?? '');
  // Below the top of the tree, a group with processes of its own cannot hand further controllers to children.
  const isTop = (await files.readText(`${root}/cgroup.type`)) === undefined;
  const occupied = ((await files.readText(`${root}/cgroup.procs`)) ?? '').trim() !== '';
  const controllers = isTop || !occupied ? known(unified) : enabled;
  const swap = await accountsForSwap(files, root, selfCgroup);
  const deviceFilter = await canFilterDevices(files);
  return {
    version: 'v2',
    root,
    controllers,
    enabled,
    swap,
    deviceFilter,
    blockWeightFiles: await weightFiles(files, 'v2', root),
  };
}

const knownWeightFiles = ['blkio.bfq.weight', 'blkio.weight', 'io.bfq.weight', 'io.weight'] as const;

/**
 * The top of a tree has none of them, so a group below must tell. Where there is no group yet, other signs of the
 * scheduler do: its module, its counters at the top, or for `io.weight` its settings there.
 */
async function weightFiles(
  files: CgroupFileAccess,
  version: 'v1' | 'v2',
  root: string | undefined,
): Promise<readonly BlockWeightFile[]> {
  if (root === undefined) return [];
  const names = new Set(await files.list(root));
  for (const name of [...names]) for (const inside of (await files.list(`${root}/${name}`)) ?? []) names.add(inside);
  if ((await files.list('/sys/module/bfq')) !== undefined)
    names.add(version === 'v1' ? 'blkio.bfq.weight' : 'io.bfq.weight');
  if (names.has('blkio.bfq.io_serviced')) names.add('blkio.bfq.weight');
  if (names.has('io.cost.model')) names.add('io.weight');
  return knownWeightFiles.filter((name) => names.has(name));
}

/** Programs of this kind are loaded with rights over the whole machine only. @see bpf(2), user_namespaces(7) */
async function canFilterDevices(files: CgroupFileAccess): Promise<boolean> {
  const hasBpf = (await files.readText('/proc/sys/kernel/unprivileged_bpf_disabled')) !== undefined;
  const idMap = (await files.readText('/proc/self/uid_map')) ?? '';
  return hasBpf && /^\s*0\s+0\s+4294967295\s*$/.test(idMap);
}

function known(text: string): Controller[] {
  const present = new Set(text.trim().split(/\s+/));
  return v2Controllers.filter((name) => present.has(name));
}

/** The top of the tree has no memory files, so another group must tell; without any, assume what kernels do today. */
async function accountsForSwap(files: CgroupFileAccess, root: string, selfCgroup: string): Promise<boolean> {
  const own = /^0::(\/.*)$/m.exec(selfCgroup)?.[1] ?? '/';
  const names = (await files.list(root)) ?? [];
  for (const directory of [`${root}${own}`, ...names.map((name) => `${root}/${name}`)]) {
    const inside = await files.list(directory);
    if (inside?.includes('memory.max')) return inside.includes('memory.swap.max');
  }
  return true;
}

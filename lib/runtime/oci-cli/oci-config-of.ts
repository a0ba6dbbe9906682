import { EngineError } from '../../core/errors/engine-error.js';
import { capabilitiesOfMask } from '../capabilities.js';
import type { ContainerSpec, ProcessSpec, SpecUser } from '../container-spec.js';
import type { MountOperation, PlanOperation } from '../launch-plan.js';

/** What another runtime reads. All of it but the user, whose numbers are known once the root is mounted. */
export interface OciDocument {
  /** JSON up to the value of `user`, and after it. */
  readonly before: string;
  readonly after: string;
}

/** Of all versions that have what is needed the oldest: runtimes refuse newer ones than they know. */
const OCI_VERSION = '1.0.2';

/**
 * The configuration of a container for a runtime that is given its cgroups, its mounted root and its network ready-made.
 *
 * @param cgroupsPath below the root of each hierarchy; undefined leaves it to the runtime.
 * @throws EngineError `INVALID_OPTION` for what the runtime-spec has no words for.
 * @see OCI runtime-spec, config.md, config-linux.md
 */
export function ociConfigOf(spec: ContainerSpec, cgroupsPath: string | undefined): OciDocument {
  refuse(spec);
  const process = ociProcessOf(spec.process);
  const rest = {
    ociVersion: OCI_VERSION,
    root: { path: spec.rootTarget, readonly: spec.readonlyRoot },
    ...(spec.namespaces.includes('uts') && { hostname: spec.hostname }),
    mounts: [...spec.mounts.map(mountOf), ...cgroupMountOf(spec)],
    linux: {
      // The network is that of the caller.
      namespaces: spec.namespaces.filter((kind) => kind !== 'net').map((type) => ({ type })),
      devices: spec.nodes.flatMap(deviceOf),
      sysctl: sysctlsOf(spec),
      maskedPaths: spec.maskedPaths,
      readonlyPaths: spec.readonlyPaths,
      // The rules are in force already: further ones would only take away.
      resources: { devices: [{ allow: true, access: 'rwm' }] },
      ...(cgroupsPath !== undefined && { cgroupsPath }),
      ...(spec.process.seccomp && { seccomp: spec.process.seccomp.profile }),
    },
  };
  return { before: `{"process":${process.before}`, after: `${process.after},${toJson(rest).slice(1)}` };
}

/** A process that joins a container, or its first. @see OCI runtime-spec, config.md, "Process" */
export function ociProcessOf(process: ProcessSpec): OciDocument {
  const { capabilities, terminal } = process;
  const names = (mask: bigint): string[] => [...capabilitiesOfMask(mask)].map((name) => `CAP_${name}`);
  const rest = {
    terminal: terminal !== undefined,
    ...(terminal && { consoleSize: { width: terminal.columns, height: terminal.rows } }),
    args: process.arguments,
    env: process.environment,
    cwd: process.workingDirectory,
    capabilities: {
      bounding: names(capabilities.bounding),
      effective: names(capabilities.effective),
      permitted: names(capabilities.effective),
      inheritable: names(capabilities.inheritable),
      ambient: names(capabilities.ambient),
    },
    rlimits: process.resourceLimits.map(({ resource, soft, hard }) => ({ type: resourceNames[resource], soft, hard })),
    noNewPrivileges: process.noNewPrivileges,
    ...(process.oomScoreAdjust !== undefined && { oomScoreAdj: process.oomScoreAdjust }),
    ...labelsOf(process),
  };
  return { before: '{"user":', after: `,${toJson(rest).slice(1)}` };
}

/** The user as the supervisor looks it up. */
export function userOf(user: SpecUser): { readonly user: string; readonly groups: readonly string[] } {
  if (user.kind === 'named') return user;
  return { user: `${user.uid}:${user.gid}`, groups: user.groups.map(String) };
}

/** @see getrlimit(2); by number, asm-generic/resource.h */
const resourceNames = [
  ...['RLIMIT_CPU', 'RLIMIT_FSIZE', 'RLIMIT_DATA', 'RLIMIT_STACK', 'RLIMIT_CORE', 'RLIMIT_RSS', 'RLIMIT_NPROC'],
  ...['RLIMIT_NOFILE', 'RLIMIT_MEMLOCK', 'RLIMIT_AS', 'RLIMIT_LOCKS', 'RLIMIT_SIGPENDING', 'RLIMIT_MSGQUEUE'],
  ...['RLIMIT_NICE', 'RLIMIT_RTPRIO', 'RLIMIT_RTTIME'],
];

function refuse(spec: ContainerSpec): void {
  const reasons = {
    init: spec.process.init === true,
    'pid, ipc': (spec.joined ?? []).length > 0,
    userns: spec.userMaps !== undefined,
    checkpoint: spec.restored !== undefined,
  };
  for (const [option, isGiven] of Object.entries(reasons)) {
    const expected = 'left out with another OCI runtime';
    if (isGiven) throw new EngineError('INVALID_OPTION', { option, expected, got: 'given' });
  }
}

function mountOf(mount: MountOperation): object {
  if (mount.op === 'bind') {
    // Attributes of what is mounted below, too, are `rro` and the like; below a file there is nothing.
    const prefix = mount.recursive && mount.kind === 'directory' ? 'r' : '';
    const options = [`${prefix}bind`, ...mount.attributes.map((each) => `${prefix}${each}`)];
    return { destination: mount.target, type: 'bind', source: mount.source, options };
  }
  if (mount.op === 'mount') {
    const source = mount.options.find((each) => each.startsWith('source='))?.slice('source='.length);
    const own = mount.options.filter((each) => !each.startsWith('source='));
    return {
      destination: mount.target,
      type: mount.type,
      source: source ?? mount.type,
      options: [...mount.attributes, ...own],
    };
  }
  throw new EngineError('INTERNAL', { what: `a mount of another runtime by '${mount.op}'` });
}

/** Runtimes know by themselves which hierarchies there are. */
function cgroupMountOf({ cgroupMounts }: ContainerSpec): readonly object[] {
  const [first] = cgroupMounts;
  if (first?.op !== 'mount') return [];
  const isReadonly = cgroupMounts.some((each) => each.op === 'readonly-path' || (each.op === 'mount' && hasRo(each)));
  const options = ['nosuid', 'nodev', 'noexec', ...(isReadonly ? ['ro'] : [])];
  return [{ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options }];
}

const hasRo = ({ attributes }: Extract<MountOperation, { readonly op: 'mount' }>): boolean => attributes.includes('ro');

/** Links of /dev and the console are made by every runtime. */
function deviceOf(node: ContainerSpec['nodes'][number]): readonly object[] {
  if (node.op !== 'node' || (node.kind !== 'char' && node.kind !== 'block')) return [];
  const { path, kind, major, minor, mode, uid, gid } = node;
  return [{ path, type: kind === 'char' ? 'c' : 'b', major, minor, fileMode: mode, uid, gid }];
}

const PROC_SYS = '/proc/sys/';

function sysctlsOf({ sysctls = [], domainname }: ContainerSpec): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const each of sysctls) {
    if (each.op === 'write-file') found[sysctlName(each.path.slice(PROC_SYS.length))] = each.data;
  }
  // Older than the property of the specification.
  if (domainname !== undefined) found['kernel.domainname'] = domainname;
  return found;
}

/** `net/ipv4/conf/eth0.1` is net.ipv4.conf.eth0/1. @see sysctl(8) */
const sysctlName = (file: string): string => file.replace(/[./]/g, (each) => (each === '/' ? '.' : '/'));

function labelsOf({ labels = [] }: ProcessSpec): object {
  const named = labels.filter((each): each is Extract<PlanOperation, { op: 'label' }> => each.op === 'label');
  return Object.assign(
    {},
    ...named.map(({ label }) =>
      label.startsWith('exec ') ? { apparmorProfile: label.slice('exec '.length) } : { selinuxLabel: label },
    ),
  ) as object;
}

/** JSON has integers of any size, JSON.stringify has not. */
function toJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).filter(([, each]) => each !== undefined);
  return `{${members.map(([key, each]) => `${JSON.stringify(key)}:${toJson(each)}`).join(',')}}`;
}

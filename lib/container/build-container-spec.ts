import { basename, dirname } from 'node:path';
import { EngineError } from '../core/errors/engine-error.js';
import type { RootMount } from '../core/mount.js';
import type { StorageLayout } from '../core/storage-layout.js';
import type { Endpoint } from '../network/network-driver.js';
import type { CgroupPlan } from '../runtime/cgroup/cgroup.js';
import type { CgroupHost } from '../runtime/cgroup/cgroup-host.js';
import { type ContainerSpec, emptyPart, type HostFile, type RestoredProcesses } from '../runtime/container-spec.js';
import {
  defaultDeviceLinks,
  defaultDevices,
  defaultMounts,
  maskedPaths,
  readonlyPaths,
} from '../runtime/default-security.js';
import type { MountOperation, NodeOperation } from '../runtime/launch-plan.js';
import { planSysctls } from '../runtime/oci/plan-sysctl.js';
import { buildProcessSpec } from './build-process-spec.js';
import type { ContainerConfig } from './container-config.js';
import { containerFiles } from './container-files.js';
import { type JoinedNamespace, ownNamespaces } from './container-namespaces.js';
import type { ContainerRecord } from './container-record.js';
import type { HostFacts } from './container-services.js';
import { hiddenOnHost, hostMounts } from './host-rootfs.js';
import { deviceNodesOf } from './resolve-devices.js';

export interface SpecSources {
  readonly record: ContainerRecord;
  readonly root: RootMount;
  readonly layout: StorageLayout;
  readonly host: HostFacts;
  readonly cgroup: CgroupPlan;
  readonly endpoint: Endpoint;
  readonly files: readonly HostFile[];
  readonly removeAtEnd: ContainerSpec['removeAtEnd'];
  readonly joined: readonly JoinedNamespace[];
  /** Default: its program is started. */
  readonly restored?: RestoredProcesses | undefined;
}

/** What the launcher needs to know to start a recorded container. */
export function buildContainerSpec(sources: SpecSources): ContainerSpec {
  const { record, layout, host, cgroup, endpoint, joined } = sources;
  const { config } = record;
  const { namespaces: modes, privileged = false } = config;
  const own = ownNamespaces(modes, config.network);
  const fresh = own.filter((kind) => !joined.some((each) => each.kind === kind));
  const nodes = [...deviceNodes, ...deviceNodesOf(config)];
  return {
    kind: 'container',
    id: record.id,
    root: sources.root,
    readonlyRoot: config.readonlyRoot,
    rootTarget: layout.rootTarget(),
    namespaces: fresh,
    ...(modes?.users && { userMaps: modes.users }),
    ...(joined.length > 0 && { joined }),
    ...(joined.some(({ kind }) => kind === 'ipc') && { sharesMemoryFiles: true }),
    hostname: config.hostname,
    ...(config.domainname !== undefined && { domainname: config.domainname }),
    files: sources.files,
    mounts: [
      ...hostMounts(config.rootfs, layout),
      ...kernelMounts(config),
      ...hostShm(config),
      ...etcMounts(layout, record.id),
      ...config.mounts.map(userMount),
    ],
    cgroupMounts: cgroupMounts(host.cgroups, cgroup, privileged || config.writableCgroups === true),
    nodes: config.stdio.tty === undefined ? nodes : [...nodes, consoleNode],
    ...(config.sysctls !== undefined && { sysctls: planSysctls(config.sysctls, new Set(own)) }),
    maskedPaths: [...(config.maskedPaths ?? maskedPaths(host.processors)), ...hiddenOnHost(config.rootfs, layout)],
    readonlyPaths: config.readonlyPaths ?? readonlyPaths,
    cgroup: { ...emptyPart, prepare: cgroup.prepare, cleanup: cgroup.cleanup },
    ...(config.restart !== undefined && { savedCgroup: containerFiles(layout, record.id).limitsPlan }),
    ...(!fresh.includes('pid') && { killedGroup: groupOf(cgroup) }),
    network: endpoint.plan,
    process: { ...buildProcessSpec(config, host, cgroup.enforcesDevices), ...(config.init === true && { init: true }) },
    ...(sources.restored && { restored: sources.restored }),
    // An overlay wants an empty one for each mount.
    ...(config.restart !== undefined && renewedOf(sources.root)),
    removeAtEnd: sources.removeAtEnd,
  };
}

const renewedOf = (root: RootMount): Pick<ContainerSpec, 'renewed'> =>
  root.type === 'overlay' && root.inMemory !== true ? { renewed: [root.work] } : {};

/** Its processes have to be found to be ended, where the kernel does not do that. */
function groupOf({ files }: CgroupPlan): string {
  if (files.processes !== undefined) return dirname(files.processes);
  throw new EngineError('CONTROLLER_MISSING', { option: 'pid', controller: 'pids', hint: 'there are no cgroups here' });
}

const deviceNodes: readonly NodeOperation[] = [
  ...defaultDevices.map(({ path, type, major, minor, mode }) => {
    return { op: 'node', path, kind: type, mode, major, minor, uid: 0, gid: 0 } as const;
  }),
  ...defaultDeviceLinks.map(({ path, target }) => ({ op: 'symlink', path, destination: target }) as const),
];

/** What the terminal is bound on. @see OCI runtime-spec, config-linux.md, "Default Devices" */
const consoleNode: NodeOperation = {
  op: 'node',
  path: '/dev/console',
  kind: 'file',
  mode: 0o600,
  major: 0,
  minor: 0,
  uid: 0,
  gid: 0,
};

/** /proc, /dev and the like; their targets must be real directories of the image (CVE-2019-19921). */
function kernelMounts(config: ContainerConfig): readonly MountOperation[] {
  return defaultMounts
    .filter((mount) => mount.type !== 'cgroup' && (mount.target !== '/dev/shm' || !hasForeignShm(config)))
    .map((mount) => {
      const data = mount.target === '/dev/shm' ? `mode=1777,size=${config.shmBytes}` : mount.data;
      return {
        op: 'mount',
        type: mount.type,
        target: mount.target,
        options: [`source=${mount.source}`, ...(data === '' ? [] : data.split(','))],
        attributes: config.privileged === true ? mount.flags.filter((flag) => flag !== 'ro') : mount.flags,
        noLinks: true,
      };
    });
}

const hasForeignShm = ({ namespaces }: ContainerConfig): boolean => namespaces?.ipc !== undefined;

/** Memory that programs share by name belongs to the same world as the rest of IPC. @see shm_overview(7) */
function hostShm({ namespaces }: ContainerConfig): readonly MountOperation[] {
  if (namespaces?.ipc !== 'host') return [];
  const attributes = ['nosuid', 'nodev', 'noexec'] as const;
  return [{ op: 'bind', source: '/dev/shm', target: '/dev/shm', recursive: false, attributes, kind: 'directory' }];
}

/** Files that the engine writes for each container; an image may have links there, which stay inside the root. */
function etcMounts(layout: StorageLayout, id: string): readonly MountOperation[] {
  const files = containerFiles(layout, id);
  const pairs = [
    [files.resolvConf, '/etc/resolv.conf'],
    [files.hostname, '/etc/hostname'],
    [files.hosts, '/etc/hosts'],
  ] as const;
  return pairs.map(([source, target]) => {
    return { op: 'bind', source, target, recursive: false, attributes: [], kind: 'file' };
  });
}

function userMount(mount: ContainerConfig['mounts'][number]): MountOperation {
  if (mount.type === 'tmpfs') {
    const size = mount.sizeBytes === undefined ? [] : [`size=${mount.sizeBytes}`];
    return {
      op: 'mount',
      type: 'tmpfs',
      target: mount.target,
      options: ['source=tmpfs', `mode=${(mount.mode ?? 0o1777).toString(8)}`, ...size, ...(mount.options ?? [])],
      attributes: mount.attributes ?? ['nosuid', 'nodev', 'noexec'],
      noLinks: false,
    };
  }
  return {
    op: 'bind',
    source: mount.source ?? '',
    target: mount.target,
    recursive: true,
    attributes: mount.readonly === true ? ['ro'] : [],
    kind: mount.isFile === true ? 'file' : 'directory',
  };
}

/** The container's own cgroups, as programs look for their limits there; writable for those who may do anything. */
function cgroupMounts(host: CgroupHost, plan: CgroupPlan, writable: boolean): readonly MountOperation[] {
  const attributes = ['nosuid', 'nodev', 'noexec', ...(writable ? [] : (['ro'] as const))] as const;
  if (host.version === 'none' || plan.join.length === 0) return [];
  const base = { op: 'mount', noLinks: true } as const;
  if (host.version === 'v2') {
    return [{ ...base, type: 'cgroup2', target: '/sys/fs/cgroup', options: ['source=cgroup'], attributes }];
  }
  const joined = [...new Set(Object.values(host.hierarchies))].filter((directory) =>
    plan.join.some((operation) => operation.path.startsWith(`${directory}/`)),
  );
  return [
    {
      ...base,
      type: 'tmpfs',
      target: '/sys/fs/cgroup',
      options: ['source=tmpfs', 'mode=755'],
      attributes: attributes.slice(0, 3),
    },
    ...joined.map((directory): MountOperation => {
      const controllers = basename(directory).split(',');
      const target = `/sys/fs/cgroup/${basename(directory)}`;
      return { ...base, type: 'cgroup', target, options: ['source=cgroup', ...controllers], attributes };
    }),
    ...(writable ? [] : [{ op: 'readonly-path', path: '/sys/fs/cgroup' } as const]),
  ];
}

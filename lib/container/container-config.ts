import { bool, type Decoder, integer, listOf, literal, mapOf, number, optional, record, text } from '../core/decode.js';
import type { PortMapping } from '../network/port-mapping.js';
import type { CgroupResources } from '../runtime/cgroup/resources.js';
import { type MountAttribute, mountAttributes } from '../runtime/launch-plan.js';
import { type HealthcheckConfig, healthcheckConfig } from './health/healthcheck-option.js';
import type { RootfsConfig } from './host-rootfs.js';
import type { DevicesConfig } from './resolve-devices.js';
import type { NamespacesConfig } from './resolve-namespaces.js';
import type { RestartConfig } from './resolve-restart.js';
import type { SecurityConfig } from './resolve-security.js';
import { type StdioConfig, stdioConfig } from './stdio-config.js';
import type { ResourceLimit } from './ulimits.js';

/** A container as it was asked for, checked and completed from its image: what `record.json` holds. */
export interface ContainerConfig extends SecurityConfig, DevicesConfig {
  /** Program and arguments of the first process. */
  readonly arguments: readonly string[];
  /** `KEY=value`, each key once. */
  readonly environment: readonly string[];
  readonly workingDir: string;
  /** As in the options; `''` is root. */
  readonly user: string;
  readonly groups: readonly string[];
  readonly hostname: string;
  readonly domainname?: string;
  readonly init?: boolean;
  /** The modes that are not `private`; other containers by their ids. */
  readonly namespaces?: NamespacesConfig;
  readonly sysctls?: Readonly<Record<string, string>>;
  /** Groups above the engine's own; the engine's parent if left out. */
  readonly cgroupParent?: string;
  /** Instead of an image: the host's own root, or a directory of the host. */
  readonly rootfs?: RootfsConfig;
  readonly labels: Readonly<Record<string, string>>;
  readonly network: 'bridge' | 'host' | 'none';
  readonly ports: readonly PortMapping[];
  readonly extraHosts: readonly string[];
  readonly mounts: readonly ConfiguredMount[];
  readonly readonlyRoot: boolean;
  readonly shmBytes: number;
  /** Sizes in bytes. */
  readonly resources: CgroupResources;
  readonly ulimits: readonly ResourceLimit[];
  readonly oomScoreAdj?: number;
  /** A signal's number. */
  readonly stopSignal: number;
  readonly stopTimeoutMs: number;
  readonly lifetime: 'owner' | 'detached';
  /** Default: it is not started again. */
  readonly restart?: RestartConfig;
  /** Default: none. */
  readonly healthcheck?: HealthcheckConfig;
  /** Standard streams: terminal, input, log. */
  readonly stdio: StdioConfig;
}

/** A mount with everything decided. */
export interface ConfiguredMount {
  readonly type: 'bind' | 'tmpfs';
  readonly source?: string;
  readonly target: string;
  readonly readonly?: boolean;
  /** Of a bind's source, when the container was made. */
  readonly isFile?: boolean;
  readonly sizeBytes?: number;
  readonly mode?: number;
  /** Of a tmpfs. Default: nosuid, nodev, noexec. */
  readonly attributes?: readonly MountAttribute[];
  /** Of a tmpfs, beside size and mode: `key=value`. */
  readonly options?: readonly string[];
}

const mount = record({
  type: literal('bind', 'tmpfs'),
  source: optional(text),
  target: text,
  readonly: optional(bool),
  isFile: optional(bool),
  sizeBytes: optional(integer),
  mode: optional(integer),
  attributes: optional(listOf(literal(...mountAttributes))),
  options: optional(listOf(text)),
});

const idMapping = record({ containerId: integer, hostId: integer, size: integer });
const deviceNumber: Decoder<number | '*'> = (value, path) => (value === '*' ? value : integer(value, path));

const security = {
  privileged: optional(bool),
  capabilities: listOf(text),
  noNewPrivileges: bool,
  seccomp: text,
  maskedPaths: optional(listOf(text)),
  readonlyPaths: optional(listOf(text)),
  appArmorProfile: optional(text),
  writableCgroups: optional(bool),
  selinuxLabel: optional(text),
};

const isolation = {
  domainname: optional(text),
  init: optional(bool),
  namespaces: optional(
    record({
      pid: optional(text),
      ipc: optional(text),
      uts: optional(literal('host')),
      cgroupns: optional(literal('host')),
      users: optional(record({ uids: listOf(idMapping), gids: listOf(idMapping) })),
    }),
  ),
  sysctls: optional(mapOf(text)),
  cgroupParent: optional(text),
  rootfs: optional(record({ host: optional(bool), path: text, direct: optional(bool) })),
  devices: optional(listOf(record({ source: text, target: text, access: text }))),
  deviceRules: optional(
    listOf(record({ type: literal('char', 'block'), major: deviceNumber, minor: deviceNumber, access: text })),
  ),
};

const port = record({
  hostAddress: text,
  hostPort: integer,
  containerPort: integer,
  protocol: literal('tcp', 'udp'),
});

const deviceValue = record({ major: integer, minor: integer, value: integer });

/** Reads the limits of a {@link ContainerConfig}. */
export const containerResources: Decoder<CgroupResources> = record({
  memory: optional(integer),
  memorySwap: optional(integer),
  memoryReservation: optional(integer),
  cpus: optional(number),
  cpuShares: optional(integer),
  cpuQuota: optional(integer),
  cpuPeriod: optional(integer),
  cpusetCpus: optional(text),
  cpusetMems: optional(text),
  pidsLimit: optional(integer),
  memorySwappiness: optional(integer),
  oomKillDisable: optional(bool),
  blkioWeight: optional(integer),
  blkioWeightDevice: optional(listOf(deviceValue)),
  blkioDeviceReadBps: optional(listOf(deviceValue)),
  blkioDeviceWriteBps: optional(listOf(deviceValue)),
  blkioDeviceReadIops: optional(listOf(deviceValue)),
  blkioDeviceWriteIops: optional(listOf(deviceValue)),
  hugepageLimits: optional(listOf(record({ pageSize: text, limit: integer }))),
});

/** Reads a {@link ContainerConfig} from its JSON. */
export const containerConfig: Decoder<ContainerConfig> = record({
  arguments: listOf(text),
  environment: listOf(text),
  workingDir: text,
  user: text,
  groups: listOf(text),
  hostname: text,
  labels: mapOf(text),
  network: literal('bridge', 'host', 'none'),
  ports: listOf(port),
  extraHosts: listOf(text),
  mounts: listOf(mount),
  readonlyRoot: bool,
  shmBytes: integer,
  ...security,
  ...isolation,
  resources: containerResources,
  ulimits: listOf(record({ resource: integer, soft: integer, hard: integer })),
  oomScoreAdj: optional(integer),
  stopSignal: integer,
  stopTimeoutMs: integer,
  lifetime: literal('owner', 'detached'),
  restart: optional(record({ policy: literal('always', 'unless-stopped', 'on-failure'), maxRetries: integer })),
  healthcheck: optional(healthcheckConfig),
  stdio: stdioConfig,
});

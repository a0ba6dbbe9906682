import { bool, type Decoder, integer, listOf, literal, mapOf, number, optional, record, text } from '../core/decode.js';
import type { PortMapping } from '../network/port-mapping.js';
import type { CgroupResources } from '../runtime/cgroup/resources.js';
import { type HealthcheckConfig, healthcheckConfig } from './health/healthcheck-option.js';
import type { RestartConfig } from './resolve-restart.js';
import { type StdioConfig, stdioConfig } from './stdio-config.js';
import type { ResourceLimit } from './ulimits.js';

/** A container as it was asked for, checked and completed from its image: what `record.json` holds. */
export interface ContainerConfig {
  /** Program and arguments of the first process. */
  readonly arguments: readonly string[];
  /** `KEY=value`, each key once. */
  readonly environment: readonly string[];
  readonly workingDir: string;
  /** As in the options; `''` is root. */
  readonly user: string;
  readonly groups: readonly string[];
  readonly hostname: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly network: 'bridge' | 'host' | 'none';
  readonly ports: readonly PortMapping[];
  readonly extraHosts: readonly string[];
  readonly mounts: readonly ConfiguredMount[];
  readonly readonlyRoot: boolean;
  readonly shmBytes: number;
  /** Names without `CAP_`. */
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  /** `default`, `unconfined`, or a profile as JSON. */
  readonly seccomp: string;
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
}

const mount = record({
  type: literal('bind', 'tmpfs'),
  source: optional(text),
  target: text,
  readonly: optional(bool),
  isFile: optional(bool),
  sizeBytes: optional(integer),
  mode: optional(integer),
});

const port = record({
  hostAddress: text,
  hostPort: integer,
  containerPort: integer,
  protocol: literal('tcp', 'udp'),
});

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
  capabilities: listOf(text),
  noNewPrivileges: bool,
  seccomp: text,
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

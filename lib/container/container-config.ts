import { bool, type Decoded, integer, listOf, literal, mapOf, number, optional, record, text } from '../core/decode.js';

const mount = record({
  type: literal('bind', 'tmpfs'),
  source: optional(text),
  target: text,
  readonly: optional(bool),
  /** Of a bind's source, when the container was made. */
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

/** A container as it was asked for, checked and completed from its image: what `record.json` holds. */
export const containerConfig = record({
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
  /** `default`, `unconfined`, or a profile as JSON. */
  seccomp: text,
  resources: record({
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
  }),
  ulimits: listOf(record({ resource: integer, soft: integer, hard: integer })),
  oomScoreAdj: optional(integer),
  stopSignal: integer,
  stopTimeoutMs: integer,
  lifetime: literal('owner', 'detached'),
});

export type ContainerConfig = Decoded<typeof containerConfig>;

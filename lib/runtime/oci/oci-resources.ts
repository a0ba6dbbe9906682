import { bool, type Decoded, integer, listOf, mapOf, optional, record, text } from '../../core/decode.js';
import { cText, wide } from './decode-values.js';

const device = record({
  allow: bool,
  type: optional(text),
  major: optional(integer),
  minor: optional(integer),
  access: optional(text),
});

const memory = record({
  limit: optional(wide),
  reservation: optional(wide),
  swap: optional(wide),
  kernel: optional(wide),
  kernelTCP: optional(wide),
  swappiness: optional(wide),
  disableOOMKiller: optional(bool),
  useHierarchy: optional(bool),
  checkBeforeUpdate: optional(bool),
});

const cpu = record({
  shares: optional(wide),
  quota: optional(wide),
  burst: optional(wide),
  period: optional(wide),
  realtimeRuntime: optional(wide),
  realtimePeriod: optional(wide),
  cpus: optional(cText),
  mems: optional(cText),
  idle: optional(wide),
});

const throttle = listOf(record({ major: integer, minor: integer, rate: wide }));

const blockIO = record({
  weight: optional(integer),
  leafWeight: optional(integer),
  weightDevice: optional(
    listOf(record({ major: integer, minor: integer, weight: optional(integer), leafWeight: optional(integer) })),
  ),
  throttleReadBpsDevice: optional(throttle),
  throttleWriteBpsDevice: optional(throttle),
  throttleReadIOPSDevice: optional(throttle),
  throttleWriteIOPSDevice: optional(throttle),
});

/** @see OCI runtime-spec, config-linux.md, "Control groups" */
export const ociResources = record({
  devices: optional(listOf(device)),
  memory: optional(memory),
  cpu: optional(cpu),
  pids: optional(record({ limit: optional(wide) })),
  blockIO: optional(blockIO),
  hugepageLimits: optional(listOf(record({ pageSize: cText, limit: wide }))),
  network: optional(
    record({
      classID: optional(integer),
      priorities: optional(listOf(record({ name: cText, priority: integer }))),
    }),
  ),
  rdma: optional(mapOf(record({ hcaHandles: optional(integer), hcaObjects: optional(integer) }))),
  unified: optional(mapOf(cText)),
});

export type OciResources = Decoded<typeof ociResources>;
export type OciDeviceRule = Decoded<typeof device>;
export type OciBlockIo = Decoded<typeof blockIO>;
export type OciMemory = Decoded<typeof memory>;
export type OciCpu = Decoded<typeof cpu>;

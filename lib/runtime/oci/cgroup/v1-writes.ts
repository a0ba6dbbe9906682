import { EngineError } from '../../../core/errors/engine-error.js';
import type { OciBlockIo, OciMemory, OciResources } from '../oci-resources.js';
import type { CgroupHierarchy } from './cgroup-view.js';
import type { CgroupWrite, ReadCgroupFile } from './cgroup-write.js';

type Value = bigint | number | string | undefined;

/** @see kernel Documentation/admin-guide/cgroup-v1 */
export function v1Writes(
  resources: OciResources,
  hierarchies: readonly CgroupHierarchy[],
  read: ReadCgroupFile,
): readonly CgroupWrite[] {
  const { memory, cpu, pids, blockIO, network } = resources;
  if (resources.unified !== undefined && Object.keys(resources.unified).length > 0)
    throw missing('linux.resources.unified', 'unified', 'the host has cgroup v1');
  const rows: readonly [string, string, Value, string][] = [
    ...memoryRows(memory ?? {}, read),
    ['cpu', 'cpu.shares', nonZero(cpu?.shares), 'cpu.shares'],
    ...bandwidthRows(cpu ?? {}, read),
    ['cpu', 'cpu.cfs_burst_us', cpu?.burst, 'cpu.burst'],
    ['cpu', 'cpu.rt_period_us', nonZero(cpu?.realtimePeriod), 'cpu.realtimePeriod'],
    ['cpu', 'cpu.rt_runtime_us', nonZero(cpu?.realtimeRuntime), 'cpu.realtimeRuntime'],
    ['cpu', 'cpu.idle', cpu?.idle, 'cpu.idle'],
    ['cpuset', 'cpuset.cpus', cpu?.cpus === '' ? undefined : cpu?.cpus, 'cpu.cpus'],
    ['cpuset', 'cpuset.mems', cpu?.mems === '' ? undefined : cpu?.mems, 'cpu.mems'],
    ['pids', 'pids.max', pidsMax(pids?.limit), 'pids.limit'],
    ...blockIoRows(blockIO ?? {}, read),
    ...(resources.hugepageLimits ?? []).map(
      ({ pageSize, limit }) =>
        ['hugetlb', `hugetlb.${pageSize}.limit_in_bytes`, limit, 'hugepageLimits'] as [string, string, Value, string],
    ),
    ['net_cls', 'net_cls.classid', network?.classID, 'network.classID'],
    ...(network?.priorities ?? []).map(
      ({ name, priority }) =>
        ['net_prio', 'net_prio.ifpriomap', `${name} ${priority}`, 'network.priorities'] as [
          string,
          string,
          Value,
          string,
        ],
    ),
    ...Object.entries(resources.rdma ?? {}).map(
      ([device, { hcaHandles, hcaObjects }]) =>
        [
          'rdma',
          'rdma.max',
          `${device} hca_handle=${hcaHandles ?? 'max'} hca_object=${hcaObjects ?? 'max'}`,
          'rdma',
        ] as [string, string, Value, string],
    ),
  ];
  return rows.flatMap(([controller, file, value, name]): CgroupWrite[] => {
    if (value === undefined) return [];
    const option = `linux.resources.${name}`;
    if (!hierarchies.some((each) => each.controllers.includes(controller)))
      throw missing(option, controller, 'no v1 hierarchy has it');
    return [{ controller, file, data: String(value), option }];
  });
}

const nonZero = (value: bigint | undefined): bigint | undefined => (value === 0n ? undefined : value);

export const pidsMax = (limit: bigint | undefined): Value =>
  limit === undefined || limit === 0n ? undefined : limit < 0n ? 'max' : limit;

/** Memory may at no moment exceed memory and swap together: which goes first depends on what is there. */
function memoryRows(memory: OciMemory, read: ReadCgroupFile): [string, string, Value, string][] {
  const limit = nonZero(memory.limit);
  const swap = nonZero(memory.swap);
  const limitRow: [string, string, Value, string] = ['memory', 'memory.limit_in_bytes', limit, 'memory.limit'];
  const swapRow: [string, string, Value, string] = ['memory', 'memory.memsw.limit_in_bytes', swap, 'memory.swap'];
  const current = read('memory', 'memory.memsw.limit_in_bytes')?.trim();
  const rises = swap !== undefined && current !== undefined && (swap < 0n || swap > BigInt(current || '0'));
  return [
    ...(rises ? [swapRow, limitRow] : [limitRow, swapRow]),
    ['memory', 'memory.soft_limit_in_bytes', nonZero(memory.reservation), 'memory.reservation'],
    ['memory', 'memory.kmem.tcp.limit_in_bytes', nonZero(memory.kernelTCP), 'memory.kernelTCP'],
    ['memory', 'memory.swappiness', memory.swappiness, 'memory.swappiness'],
    ['memory', 'memory.oom_control', memory.disableOOMKiller === true ? 1 : undefined, 'memory.disableOOMKiller'],
  ];
}

/** A quota may not exceed what the parent allows in the period that is set at that moment: the looser one first. */
function bandwidthRows(
  cpu: { readonly quota?: bigint; readonly period?: bigint },
  read: ReadCgroupFile,
): [string, string, Value, string][] {
  const period: [string, string, Value, string] = ['cpu', 'cpu.cfs_period_us', nonZero(cpu.period), 'cpu.period'];
  const quota: [string, string, Value, string] = ['cpu', 'cpu.cfs_quota_us', nonZero(cpu.quota), 'cpu.quota'];
  const current = BigInt(read('cpu', 'cpu.cfs_period_us')?.trim() || '0');
  return cpu.period !== undefined && cpu.period < current ? [quota, period] : [period, quota];
}

/** The weight's file has the name of the scheduler that knows it. */
function blockIoRows(io: OciBlockIo, read: ReadCgroupFile): [string, string, Value, string][] {
  const bfq = read('blkio', 'blkio.weight') === undefined && read('blkio', 'blkio.bfq.weight') !== undefined;
  const prefix = bfq ? 'blkio.bfq' : 'blkio';
  const throttle = (file: string, list: OciBlockIo['throttleReadBpsDevice'], name: string) =>
    (list ?? []).map(
      ({ major, minor, rate }) =>
        ['blkio', `blkio.throttle.${file}`, `${major}:${minor} ${rate}`, `blockIO.${name}`] as [
          string,
          string,
          Value,
          string,
        ],
    );
  return [
    ['blkio', `${prefix}.weight`, io.weight === 0 ? undefined : io.weight, 'blockIO.weight'],
    ['blkio', `${prefix}.leaf_weight`, io.leafWeight === 0 ? undefined : io.leafWeight, 'blockIO.leafWeight'],
    ...(io.weightDevice ?? []).flatMap(({ major, minor, weight, leafWeight }): [string, string, Value, string][] => [
      ['blkio', `${prefix}.weight_device`, weight && `${major}:${minor} ${weight}`, 'blockIO.weightDevice'],
      [
        'blkio',
        `${prefix}.leaf_weight_device`,
        leafWeight && `${major}:${minor} ${leafWeight}`,
        'blockIO.weightDevice',
      ],
    ]),
    ...throttle('read_bps_device', io.throttleReadBpsDevice, 'throttleReadBpsDevice'),
    ...throttle('write_bps_device', io.throttleWriteBpsDevice, 'throttleWriteBpsDevice'),
    ...throttle('read_iops_device', io.throttleReadIOPSDevice, 'throttleReadIOPSDevice'),
    ...throttle('write_iops_device', io.throttleWriteIOPSDevice, 'throttleWriteIOPSDevice'),
  ];
}

const missing = (option: string, controller: string, hint: string): EngineError =>
  new EngineError('CONTROLLER_MISSING', { option, controller, hint });

import { EngineError } from '../../../core/errors/engine-error.js';
import { cpuWeight } from '../../cgroup/cpu-weight.js';
import { invalidConfig } from '../invalid-config.js';
import type { OciBlockIo, OciCpu, OciMemory, OciResources } from '../oci-resources.js';
import type { CgroupHierarchy } from './cgroup-view.js';
import type { CgroupWrite } from './cgroup-write.js';
import { pidsMax } from './v1-writes.js';

type Row = [controller: string, file: string, value: bigint | number | string | undefined, option: string];

/** @see kernel Documentation/admin-guide/cgroup-v2.rst */
export function v2Writes(resources: OciResources, hierarchies: readonly CgroupHierarchy[]): readonly CgroupWrite[] {
  const { cpu, network } = resources;
  if (network?.classID !== undefined || network?.priorities !== undefined)
    throw missing('linux.resources.network', 'net_cls', 'cgroup v2 has no such controller');
  if (cpu?.realtimePeriod || cpu?.realtimeRuntime)
    throw missing('linux.resources.cpu.realtimeRuntime', 'cpu', 'cgroup v2 has no limits of real-time scheduling');
  const rows: readonly Row[] = [
    ...memoryRows(resources.memory ?? {}),
    ...cpuRows(cpu ?? {}),
    ['cpuset', 'cpuset.cpus', cpu?.cpus === '' ? undefined : cpu?.cpus, 'cpu.cpus'],
    ['cpuset', 'cpuset.mems', cpu?.mems === '' ? undefined : cpu?.mems, 'cpu.mems'],
    ['pids', 'pids.max', pidsMax(resources.pids?.limit), 'pids.limit'],
    ...ioRows(resources.blockIO ?? {}),
    ...(resources.hugepageLimits ?? []).map(
      ({ pageSize, limit }): Row => ['hugetlb', `hugetlb.${pageSize}.max`, limit, 'hugepageLimits'],
    ),
    ...Object.entries(resources.rdma ?? {}).map(
      ([device, { hcaHandles, hcaObjects }]): Row => [
        'rdma',
        'rdma.max',
        `${device} hca_handle=${hcaHandles ?? 'max'} hca_object=${hcaObjects ?? 'max'}`,
        'rdma',
      ],
    ),
    ...unifiedRows(resources.unified ?? {}),
  ];
  return rows.flatMap(([controller, file, value, name]): CgroupWrite[] => {
    if (value === undefined) return [];
    const option = `linux.resources.${name}`;
    const offered = controller === 'cgroup' || hierarchies.some((each) => each.controllers.includes(controller));
    if (!offered) throw missing(option, controller, 'the hierarchy does not offer it');
    return [{ controller, file, data: String(value), option }];
  });
}

const limitOrMax = (value: bigint | undefined): string | undefined =>
  value === undefined || value === 0n ? undefined : value < 0n ? 'max' : String(value);

/** v2 counts swap apart from memory; the specification has the sum of both. */
function memoryRows(memory: OciMemory): Row[] {
  const { limit, swap } = memory;
  let swapOnly = limitOrMax(swap);
  if (swapOnly !== undefined && swapOnly !== 'max' && swap !== undefined) {
    if (limit === undefined || limit <= 0n) invalidConfig('linux.resources.memory.swap', 'it needs a limit beside it');
    else if (swap < limit) invalidConfig('linux.resources.memory.swap', 'it must not be less than the limit');
    else swapOnly = String(swap - limit);
  }
  return [
    ['memory', 'memory.max', limitOrMax(limit), 'memory.limit'],
    ['memory', 'memory.swap.max', swapOnly, 'memory.swap'],
    ['memory', 'memory.low', limitOrMax(memory.reservation), 'memory.reservation'],
  ];
}

function cpuRows(cpu: OciCpu): Row[] {
  const { quota, period, shares } = cpu;
  const bandwidth =
    quota === undefined && period === undefined
      ? undefined
      : `${quota === undefined || quota <= 0n ? 'max' : quota} ${period || 100_000n}`;
  return [
    ['cpu', 'cpu.weight', shares === undefined || shares === 0n ? undefined : cpuWeight(Number(shares)), 'cpu.shares'],
    ['cpu', 'cpu.max', bandwidth, 'cpu.quota'],
    ['cpu', 'cpu.max.burst', cpu.burst, 'cpu.burst'],
    ['cpu', 'cpu.idle', cpu.idle, 'cpu.idle'],
  ];
}

/** Weights of the specification go from 10 to 1000, those of io.weight from 1 to 10000. */
const ioWeight = (weight: number): number => Math.round(1 + ((weight - 10) * 9999) / 990);

function ioRows(io: OciBlockIo): Row[] {
  const throttle = (key: string, list: OciBlockIo['throttleReadBpsDevice'], option: string): Row[] =>
    (list ?? []).map(({ major, minor, rate }) => ['io', 'io.max', `${major}:${minor} ${key}=${rate}`, option]);
  return [
    ['io', 'io.weight', io.weight ? `default ${ioWeight(io.weight)}` : undefined, 'blockIO.weight'],
    ...(io.weightDevice ?? []).map(
      ({ major, minor, weight }): Row => [
        'io',
        'io.weight',
        weight ? `${major}:${minor} ${ioWeight(weight)}` : undefined,
        'blockIO.weightDevice',
      ],
    ),
    ...throttle('rbps', io.throttleReadBpsDevice, 'blockIO.throttleReadBpsDevice'),
    ...throttle('wbps', io.throttleWriteBpsDevice, 'blockIO.throttleWriteBpsDevice'),
    ...throttle('riops', io.throttleReadIOPSDevice, 'blockIO.throttleReadIOPSDevice'),
    ...throttle('wiops', io.throttleWriteIOPSDevice, 'blockIO.throttleWriteIOPSDevice'),
  ];
}

/** The file's name begins with its controller's; `cgroup.…` belongs to no controller. */
function unifiedRows(unified: Readonly<Record<string, string>>): Row[] {
  return Object.entries(unified).map(([file, value]): Row => {
    if (!/^[a-z0-9_]+\.[A-Za-z0-9_.-]+$/.test(file))
      invalidConfig('linux.resources.unified', `'${file.slice(0, 200)}' is no file of a cgroup`);
    return [file.slice(0, file.indexOf('.')), file, value, `unified.${file}`];
  });
}

const missing = (option: string, controller: string, hint: string): EngineError =>
  new EngineError('CONTROLLER_MISSING', { option, controller, hint });

import { fsCgroupControl } from '../../runtime/cgroup/fs-cgroup-control.js';
import { readCgroupStats } from '../../runtime/cgroup/read-cgroup-stats.js';
import { cgroupFilesOf } from './container-cgroup.js';
import type { ContainerRecord } from './container-record.js';

/** One measurement in the form that runc's `events` has: nanoseconds and bytes. What is not counted or limited is absent. */
export interface ContainerStats {
  readonly cpu: {
    readonly usage: {
      readonly total: number;
      readonly percpu?: readonly number[];
      readonly user?: number;
      readonly kernel?: number;
    };
    readonly throttling?: {
      readonly periods: number;
      readonly throttledPeriods: number;
      readonly throttledTime: number;
    };
  };
  readonly memory: {
    readonly usage: {
      readonly usage: number;
      readonly limit?: number;
      readonly max?: number;
      readonly failcnt?: number;
    };
    readonly cache?: number;
    readonly raw: Readonly<Record<string, number>>;
  };
  readonly pids: { readonly current: number; readonly limit?: number };
  readonly blkio: {
    readonly ioServiceBytesRecursive: readonly BlockEntry[];
    readonly ioServicedRecursive: readonly BlockEntry[];
  };
}

interface BlockEntry {
  readonly major: number;
  readonly minor: number;
  readonly op: 'Read' | 'Write';
  readonly value: number;
}

/** What the container's groups count. */
export async function readStats(record: ContainerRecord): Promise<ContainerStats> {
  const { cpu, memory, pids, io } = await readCgroupStats(cgroupFilesOf(record), fsCgroupControl.readText);
  const { throttling } = cpu ?? {};
  return {
    cpu: {
      usage: {
        total: nanoseconds(cpu?.usageMs ?? 0),
        ...(cpu?.perCpuMs && { percpu: cpu.perCpuMs.map(nanoseconds) }),
        ...(cpu?.userMs !== undefined && { user: nanoseconds(cpu.userMs) }),
        ...(cpu?.systemMs !== undefined && { kernel: nanoseconds(cpu.systemMs) }),
      },
      ...(throttling && {
        throttling: {
          periods: throttling.periods,
          throttledPeriods: throttling.throttledPeriods,
          throttledTime: nanoseconds(throttling.throttledMs),
        },
      }),
    },
    memory: {
      usage: {
        usage: memory?.chargedBytes ?? 0,
        ...(memory?.limitBytes !== undefined && { limit: memory.limitBytes }),
        ...(memory?.peakBytes !== undefined && { max: memory.peakBytes }),
        ...(memory?.limitHits !== undefined && { failcnt: memory.limitHits }),
      },
      ...(memory?.cacheBytes !== undefined && { cache: memory.cacheBytes }),
      raw: memory?.detail ?? {},
    },
    pids: { current: pids?.current ?? 0, ...(pids?.limit !== undefined && { limit: pids.limit }) },
    blkio: {
      ioServiceBytesRecursive: (io?.devices ?? []).flatMap(({ major, minor, readBytes, writtenBytes }) =>
        entries(major, minor, readBytes, writtenBytes),
      ),
      ioServicedRecursive: (io?.devices ?? []).flatMap(({ major, minor, reads, writes }) =>
        entries(major, minor, reads, writes),
      ),
    },
  };
}

const nanoseconds = (milliseconds: number): number => Math.round(milliseconds * 1_000_000);

const entries = (major: number, minor: number, read: number, written: number): BlockEntry[] => [
  { major, minor, op: 'Read', value: read },
  { major, minor, op: 'Write', value: written },
];

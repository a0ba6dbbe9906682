import type { CgroupFiles } from './cgroup.js';
import { keyedNumber, millisecondsOf, type ReadText, readWhole, wholeNumber } from './cgroup-text.js';

/** Processor time of all processes of a container, ended ones included, in milliseconds with fractions. */
export interface CpuStats {
  readonly usageMs: number;
  /**
   * In the programs; absent where the host does not tell it apart. The kernel may sample this and `systemMs`: together they
   * are `usageMs` only about.
   */
  readonly userMs?: number;
  /** In the kernel on their behalf. */
  readonly systemMs?: number;
  /** By the number of the processor; cgroup v1 only. */
  readonly perCpuMs?: readonly number[];
  /** What the limit on processor time (`cpus`, `cpuQuota`) does; absent without the controller. */
  readonly throttling?: CpuThrottling;
}

/** How a limit on processor time has held a container back. */
export interface CpuThrottling {
  /** Periods in which the container wanted to run. */
  readonly periods: number;
  /** Those in which it was held back. */
  readonly throttledPeriods: number;
  /** For how long together, summed up over processors. */
  readonly throttledMs: number;
}

/** Undefined where processor time is not counted, or the group has gone. */
export async function readCpuStats(files: CgroupFiles, readText: ReadText): Promise<CpuStats | undefined> {
  if (files.cpu === undefined) return undefined;
  const [times, throttling] = await Promise.all([
    files.cpu.version === 'v1' ? readV1(files.cpu, readText) : readV2(files.cpu.stat, readText),
    files.cpuThrottling === undefined ? undefined : readText(files.cpuThrottling),
  ]);
  if (times === undefined) return undefined;
  const held = throttling === undefined ? undefined : throttlingOf(throttling);
  return { ...times, ...(held && { throttling: held }) };
}

type Times = Omit<CpuStats, 'throttling'>;
type V1Files = Extract<CgroupFiles['cpu'], { readonly version: 'v1' }>;

/** All of v1 is in nanoseconds. */
async function readV1(files: V1Files, readText: ReadText): Promise<Times | undefined> {
  const [usage, user, system] = await Promise.all(
    [files.usage, files.user, files.system].map((path) => readWhole(path, readText)),
  );
  if (usage === undefined) return undefined;
  const perCpu = (await readText(files.perCpu))?.trim().split(/\s+/).map(wholeNumber);
  return {
    usageMs: millisecondsOf(usage),
    ...(user !== undefined && { userMs: millisecondsOf(user) }),
    ...(system !== undefined && { systemMs: millisecondsOf(system) }),
    ...(perCpu && { perCpuMs: perCpu.map((each) => millisecondsOf(each ?? 0n)) }),
  };
}

/** All of v2 is in microseconds. */
async function readV2(path: string, readText: ReadText): Promise<Times | undefined> {
  const text = await readText(path);
  const [usage, user, system] = ['usage_usec', 'user_usec', 'system_usec'].map((key) => keyedNumber(text, key));
  if (usage === undefined) return undefined;
  return {
    usageMs: Number(usage) / 1000,
    ...(user !== undefined && { userMs: Number(user) / 1000 }),
    ...(system !== undefined && { systemMs: Number(system) / 1000 }),
  };
}

/** `throttled_time` of v1 is in nanoseconds, `throttled_usec` of v2 in microseconds. */
function throttlingOf(text: string): CpuThrottling | undefined {
  const throttledPeriods = keyedNumber(text, 'nr_throttled');
  if (throttledPeriods === undefined) return undefined;
  const nanoseconds = keyedNumber(text, 'throttled_time') ?? (keyedNumber(text, 'throttled_usec') ?? 0n) * 1000n;
  return {
    periods: Number(keyedNumber(text, 'nr_periods') ?? 0n),
    throttledPeriods: Number(throttledPeriods),
    throttledMs: millisecondsOf(nanoseconds),
  };
}

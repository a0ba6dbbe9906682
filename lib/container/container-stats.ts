import { readlinkSync } from 'node:fs';
import { EngineError } from '../core/errors/engine-error.js';
import { limits } from '../core/limits.js';
import type { ProcessIdentity } from '../core/process-identity.js';
import { type InterfaceCounters, parseInterfaceCounters } from '../network/interface-counters.js';
import { type CgroupStats, readCgroupStats } from '../runtime/cgroup/read-cgroup-stats.js';
import { readBoundedFile } from '../util/read-bounded-file.js';
import { cgroupFiles, containerState } from './container-cgroup.js';
import { isAlive } from './container-files.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';

/** One measurement of a container. A member is absent where the host does not count it. */
export interface ContainerStats extends CgroupStats {
  readonly readAt: Date;
  /**
   * Processor time used, in percent of one processor: 250 is two and a half busy processors. Over the time since the
   * measurement before it in the same iteration; in a single measurement, and in the first one, since the start.
   */
  readonly cpuPercent?: number;
  /** `memory.usageBytes` in percent of the limit; absent without a limit. */
  readonly memoryPercent?: number;
  /** Each interface but loopback; absent for a container in the host's network. */
  readonly networks?: readonly InterfaceCounters[];
}

/** A measurement that the next one is compared with. */
export interface StatsSample {
  /** Milliseconds of {@link performance.now}. */
  readonly at: number;
  readonly cpuMs: number;
}

export interface Measurement {
  readonly stats: ContainerStats;
  readonly sample: StatsSample;
}

/**
 * Measures a running or paused container once.
 *
 * @throws EngineError `WRONG_STATE` when it does not run.
 */
export async function measureContainer(
  services: ContainerServices,
  record: ContainerRecord,
  before?: StatsSample,
): Promise<Measurement> {
  const state = containerState(services, record);
  if (state.status !== 'running' && state.status !== 'paused') throw notRunning(record, state.status);
  const since = before ?? { at: performance.now() - (Date.now() - state.startedAt.getTime()), cpuMs: 0 };
  const [counters, networks] = await Promise.all([
    readCgroupStats(cgroupFiles(services, record), services.cgroupControl.readText),
    readNetworks(state.process),
  ]);
  // What was read just now could be of another process, or of nobody.
  if (!isAlive(state.process)) throw notRunning(record, 'exited');
  const at = performance.now();
  const sample = { at, cpuMs: counters.cpu?.usageMs ?? 0 };
  const { usageBytes, limitBytes } = counters.memory ?? {};
  const stats = {
    readAt: new Date(),
    ...counters,
    ...(counters.cpu && { cpuPercent: percentOf(sample.cpuMs - since.cpuMs, at - since.at) }),
    ...(usageBytes !== undefined && limitBytes !== undefined && { memoryPercent: percentOf(usageBytes, limitBytes) }),
    ...(networks && { networks }),
  };
  return { stats, sample };
}

const percentOf = (part: number, whole: number): number => (whole > 0 ? Math.max((part / whole) * 100, 0) : 0);

const notRunning = ({ id }: ContainerRecord, status: string): EngineError =>
  new EngineError('WRONG_STATE', { id, status, wanted: 'running' });

/** Undefined in the host's network, whose counters are not the container's. */
async function readNetworks({ pid }: ProcessIdentity): Promise<readonly InterfaceCounters[] | undefined> {
  const namespace = networkNamespace(pid);
  if (namespace === undefined || namespace === networkNamespace('self')) return undefined;
  const text = await readBoundedFile(`/proc/${pid}/net/dev`, limits.interfaceTableBytes);
  return text === undefined ? undefined : parseInterfaceCounters(text.toString('latin1'), limits.interfaces);
}

function networkNamespace(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined; // it has just ended
  }
}

import { readdir, readlink } from 'node:fs/promises';
import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import { limits } from '../core/limits.js';
import type { ProcessIdentity } from '../core/process-identity.js';
import { listProcesses } from '../runtime/cgroup/list-processes.js';
import { Limiter } from '../util/limiter.js';
import { readBoundedFile } from '../util/read-bounded-file.js';
import { type ProcessSnapshot, readProcess, TICKS_PER_SECOND } from '../util/read-process.js';
import { cgroupFiles, containerState } from './container-cgroup.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';

/**
 * One process of a container. Name and command are what the process has made of them: bounded in length, not escaped, and
 * not to be printed to a terminal as they are.
 */
export interface ProcessInfo {
  /** On the host. */
  readonly pid: number;
  /** In the container. */
  readonly containerPid: number;
  /** On the host; that of the container's first process is its supervisor, which is not in the list. */
  readonly parentPid: number;
  /** Effective user and group, as numbers of the host. */
  readonly uid: number;
  readonly gid: number;
  /** At most 15 bytes. */
  readonly name: string;
  /** Program and arguments, the first 4096 bytes of them; empty for a process that has ended and was not reaped. */
  readonly command: readonly string[];
  /** The kernel's letter: `R` runs, `S` sleeps, `D` waits for a device, `T` is stopped, `Z` has ended. See proc(5). */
  readonly state: string;
  readonly threads: number;
  /** Processor time in milliseconds, without that of its children. */
  readonly cpuMs: number;
  /** Memory that it has in RAM, shared one included. */
  readonly residentBytes: number;
  readonly startedAt: Date;
}

const READERS = 16;

/**
 * The processes of a running or paused container, oldest number first. Nothing is run for it.
 *
 * @throws EngineError `WRONG_STATE`.
 */
export async function topContainer(
  services: ContainerServices,
  record: ContainerRecord,
  options: Abortable = {},
): Promise<readonly ProcessInfo[]> {
  const state = containerState(services, record);
  if (state.status !== 'running' && state.status !== 'paused') {
    throw new EngineError('WRONG_STATE', { id: record.id, status: state.status, wanted: 'running' });
  }
  const list = (): Promise<readonly number[]> => listPids(services, record, state.process);
  const limiter = new Limiter(READERS);
  const pids = (await list()).slice(0, limits.listedProcesses);
  const found = await Promise.all(
    pids.map((pid) =>
      limiter.run(async () => {
        options.signal?.throwIfAborted();
        return readProcess(pid, limits.commandLineBytes);
      }),
    ),
  );
  const [bootedAt, depth] = await Promise.all([bootTime(), depthOf(state.process.pid)]);
  const still = new Set(await list()); // a number that another process has got in the meantime is not in here
  const there = found.filter((each) => each !== undefined).filter(({ pid }) => still.has(pid));
  return there.map((each) => toInfo(each, bootedAt, depth));
}

function toInfo(snapshot: ProcessSnapshot, bootedAt: number, depth: number): ProcessInfo {
  const { pids, startTicks, ...rest } = snapshot;
  return {
    ...rest,
    containerPid: pids[depth - 1] ?? snapshot.pid,
    startedAt: new Date(Math.round(bootedAt + (Number(startTicks) * 1000) / TICKS_PER_SECOND)),
  };
}

/** The cgroup knows them all. Where there is none, the mount namespace tells, unless a process has made one of its own. */
async function listPids(
  services: ContainerServices,
  record: ContainerRecord,
  first: ProcessIdentity,
): Promise<readonly number[]> {
  const files = cgroupFiles(services, record);
  if (files.processes !== undefined) return listProcesses(files, services.cgroupControl);
  const namespaceOf = (pid: string | number): Promise<string> => readlink(`/proc/${pid}/ns/mnt`).catch(() => '');
  const wanted = await namespaceOf(first.pid);
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const namespaces = await Promise.all(numbers.map(namespaceOf));
  return numbers.filter((_, index) => wanted !== '' && namespaces[index] === wanted).map(Number);
}

/** How deep the container's PID namespace is below ours: that many numbers its first process has. */
async function depthOf(pid: number): Promise<number> {
  return (await readProcess(pid, 1))?.pids.length ?? 1;
}

/** In milliseconds since 1970; to ten milliseconds. @see proc(5), /proc/uptime */
async function bootTime(): Promise<number> {
  const text = (await readBoundedFile('/proc/uptime', 64))?.toString('latin1') ?? '';
  return Date.now() - Number.parseFloat(text) * 1000;
}

import { existsSync, readFileSync } from 'node:fs';
import type { ExitStatus } from '../core/exit-status.js';
import type { ProcessIdentity } from '../core/process-identity.js';
import { signalName } from '../core/signal.js';
import type { StorageLayout } from '../core/storage-layout.js';
import { isMissing, toFileError } from '../util/file-error.js';
import { startTicksOf } from '../util/start-ticks.js';
import type { ContainerState } from './container-state.js';

/**
 * Where the files of one container are. What dies with its owner anyway, and what each start writes anew, is in RUN, which
 * is memory on most machines.
 */
export interface ContainerFiles {
  /** Below ROOT; every container has it while it exists. */
  readonly directory: string;
  /** Of a detached container. */
  readonly record: string;
  /** Of one that ends with its owner. */
  readonly runRecord: string;
  /** What the paths of its log's files begin with. */
  readonly logPrefix: string;
  /** Limits that an update has set; there is none before the first. Of a detached container. */
  readonly limits: string;
  /** For runs by policy after an update: what makes its cgroups then. */
  readonly limitsPlan: string;
  /** The same of one that ends with its owner. */
  readonly runLimits: string;
  /** Written by the supervisor when a detached container has ended: `CODE SIGNAL OOM NANOSECONDS`. */
  readonly exit: string;
  /** The same of one that ends with its owner. */
  readonly runExit: string;
  /** Exists while a container with a restart policy is not to be started again: somebody has stopped it. */
  readonly stopped: string;
  /** The same of one that ends with its owner. */
  readonly runStopped: string;
  /** Exists once a detached container with a restart policy was started: its next engine goes on with that. */
  readonly started: string;
  /** Written by the supervisor of a container with a restart policy, see {@link readRestarts}. */
  readonly restarts: string;
  /** Exists once it was renamed: it may have a name that whoever removes it does not know. */
  readonly renamed: string;
  readonly hostname: string;
  readonly hosts: string;
  readonly resolvConf: string;
  readonly runDirectory: string;
  /** Written by the supervisor at start: `PID START_TICKS SUPERVISOR_PID NANOSECONDS SUPERVISOR_START_TICKS`. */
  readonly process: string;
  /** Where the supervisor listens while the container runs. */
  readonly socket: string;
}

export function containerFiles(layout: StorageLayout, id: string): ContainerFiles {
  const directory = layout.container(id);
  const runDirectory = layout.runContainer(id);
  return {
    directory,
    record: `${directory}/record.json`,
    runRecord: `${runDirectory}/record.json`,
    logPrefix: `${directory}/log.`,
    limits: `${directory}/limits.json`,
    limitsPlan: `${runDirectory}/limits.plan`,
    runLimits: `${runDirectory}/limits.json`,
    exit: `${directory}/exit`,
    runExit: `${runDirectory}/exit`,
    stopped: `${directory}/stopped`,
    runStopped: `${runDirectory}/stopped`,
    started: `${directory}/started`,
    restarts: `${runDirectory}/restarts`,
    renamed: `${directory}/renamed`,
    hostname: `${runDirectory}/hostname`,
    hosts: `${runDirectory}/hosts`,
    resolvConf: `${runDirectory}/resolv.conf`,
    runDirectory,
    process: `${runDirectory}/process`,
    socket: `${runDirectory}/socket`,
  };
}

/**
 * The state as the files and the kernel have it, whoever started the container. That it is paused is for its cgroup to
 * say: {@link containerState}.
 */
export function readState(files: ContainerFiles): ContainerState {
  const exit = readExit(files);
  const started = readNumbers(files.process);
  const startedAt = started === undefined ? undefined : dateOf(started[3]);
  if (exit !== undefined) return afterExit(files, started, toExitStatus(exit), startedAt);
  if (started === undefined || startedAt === undefined) return { status: 'created' };
  const process = { pid: Number(started[0]), startTicks: started[1] ?? 0n };
  // Until the supervisor has drained the output and written its record, the container has not ended for anybody.
  const supervisor = { pid: Number(started[2]), startTicks: started[4] ?? 0n };
  if (isAlive(process) || isAlive(supervisor)) return { status: 'running', process, startedAt };
  // The supervisor was killed before it could write a record; the kernel has ended the container with it.
  const lost: ExitStatus = { exitCode: 137, signal: 'SIGKILL', oomKilled: false, finishedAt: startedAt };
  return { status: 'exited', exit: readLateExit(files) ?? lost, startedAt };
}

/** A supervisor that lives and has written when it will start the container again does that. */
function afterExit(
  files: ContainerFiles,
  started: readonly bigint[] | undefined,
  exit: ExitStatus,
  startedAt: Date | undefined,
): ContainerState {
  const { nextStart } = readRestarts(files);
  if (started === undefined || startedAt === undefined || nextStart === 0n)
    return { status: 'exited', exit, startedAt };
  const supervisor = { pid: Number(started[2]), startTicks: started[4] ?? 0n };
  if (!isAlive(supervisor)) return { status: 'exited', exit, startedAt };
  const process = { pid: Number(started[0]), startTicks: started[1] ?? 0n };
  return { status: 'restarting', exit, process, startedAt, nextStartAt: dateOf(nextStart) };
}

/** What the supervisor of a container with a restart policy has noted: see native/src/restart.h. */
export function readRestarts(files: ContainerFiles): RestartNote {
  const [numbers = '', error] = (readText(files.restarts) ?? '').split('\n');
  const [count = '', nextStart = ''] = numbers.split(' ');
  return {
    count: /^\d+$/.test(count) ? Number(count) : 0,
    nextStart: /^\d+$/.test(nextStart) ? BigInt(nextStart) : 0n,
    error: error === '' ? undefined : error,
  };
}

export interface RestartNote {
  /** How often it was started again since `start`. */
  readonly count: number;
  /** When that will be done next, in nanoseconds since 1970; 0 when it is not due. */
  readonly nextStart: bigint;
  /** Why the last attempt has failed. */
  readonly error: string | undefined;
}

/** Which of the two stop files is that of a container. */
export const stopFile = (files: ContainerFiles, lifetime: 'owner' | 'detached'): string =>
  lifetime === 'owner' ? files.runStopped : files.stopped;

/** The record of an exit; undefined when there is none. */
export function readExitFile(path: string): ExitStatus | undefined {
  const numbers = readNumbers(path);
  return numbers && toExitStatus(numbers);
}

/** A container may have ended between the two looks above: then its record is there now. */
function readLateExit(files: ContainerFiles): ExitStatus | undefined {
  const exit = readExit(files);
  return exit === undefined ? undefined : toExitStatus(exit);
}

const readExit = (files: ContainerFiles): readonly bigint[] | undefined =>
  readNumbers(files.runExit) ?? readNumbers(files.exit);

/** Whether a process exists and is the one that was meant. @see proc(5), /proc/PID/stat */
export function isAlive(process: ProcessIdentity): boolean {
  return startTicksOf(process.pid) === process.startTicks;
}

function toExitStatus(numbers: readonly bigint[]): ExitStatus {
  const [code = 0n, signal = 0n, oom = 0n, finished = 0n] = numbers;
  return {
    exitCode: Number(code),
    signal: signal === 0n ? undefined : signalName(Number(signal)),
    oomKilled: oom !== 0n,
    finishedAt: dateOf(finished),
  };
}

const dateOf = (nanoseconds: bigint | undefined): Date => new Date(Number((nanoseconds ?? 0n) / 1_000_000n));

/** A line of whole numbers; undefined when the file is missing, as most are most of the time. */
function readNumbers(path: string): readonly bigint[] | undefined {
  const line = readText(path)?.trim();
  return line !== undefined && /^\d+(?: \d+)*$/.test(line) ? line.split(' ').map(BigInt) : undefined;
}

function readText(path: string): string | undefined {
  if (!existsSync(path)) return undefined; // far cheaper than an error
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw toFileError(error, path);
  }
}

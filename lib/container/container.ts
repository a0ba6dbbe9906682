import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import type { ExitStatus } from '../core/exit-status.js';
import { parseSignal } from '../core/signal.js';
import type { Image } from '../image/image.js';
import type { PathStatus, RootChange } from '../layers/root-access.js';
import { attachContainer } from './attach-container.js';
import type { AttachOptions } from './attach-options.js';
import type { AttachedStreams } from './attached-streams.js';
import type { CheckpointOptions } from './checkpoint/checkpoint-container.js';
import { defaultCheckpoint } from './checkpoint/checkpoint-files.js';
import { Checkpoints, type RestoreOptions } from './checkpoint/checkpoints.js';
import { type CommandResult, checkBounds, collectResult } from './command-result.js';
import { containerState } from './container-cgroup.js';
import { withContainerLock } from './container-lock.js';
import type { BufferedOptions, ContainerOptions, ExecOptions } from './container-options.js';
import { ContainerProcess } from './container-process.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices, LiveContainer } from './container-services.js';
import type { ContainerStatus } from './container-state.js';
import { type ContainerStats, measureContainer } from './container-stats.js';
import { type ExecProcessOptions, execProcess } from './exec-process.js';
import { type CommitOptions, commitContainer } from './files/commit-container.js';
import { changedRoot, rootLayers } from './files/container-view.js';
import type { CopyOptions } from './files/copy-from.js';
import { type CopySource, copyInto } from './files/copy-into.js';
import { copyOut, packOut, statInside } from './files/read-container.js';
import { withWritableView } from './files/with-writable-view.js';
import { followStats, type StatsOptions } from './follow-stats.js';
import { type ContainerInspection, inspectContainer } from './inspect-container.js';
import { jsonFileLines } from './json-file-log.js';
import { LogLineIterator } from './log-line-iterator.js';
import type { LogLine } from './log-lines.js';
import type { LogOptions } from './log-options.js';
import { pauseContainer, unpauseContainer } from './pause-container.js';
import { readLogBlocks } from './read-logs.js';
import { type RemoveOptions, removeContainer } from './remove-container.js';
import { renameContainer } from './rename-container.js';
import { signalContainer } from './signal-container.js';
import { startContainer } from './start-container.js';
import { type StopOptions, stopAndTell } from './stop-container.js';
import { type ProcessInfo, topContainer } from './top-container.js';
import { type UpdateOptions, updateContainer } from './update-container.js';
import { waitForCondition } from './wait-container.js';
import type { RunWaitOptions, WaitOptions } from './wait-options.js';

/** Whatever has containers: an engine. */
export interface ContainerHost {
  readonly containers: {
    /** Makes a container. */
    create(options: ContainerOptions & Abortable): Promise<Container>;
  };
}

/**
 * A container. It exists from `create` until `remove`; between them it can be started and stopped as often as wanted.
 *
 * Several `Container` objects, in several processes, may mean the same container.
 */
export class Container implements AsyncDisposable {
  readonly #services: ContainerServices;
  #record: ContainerRecord;
  /** The latest start through this object. */
  #latest: LiveContainer | undefined;

  /** @internal */
  constructor(services: ContainerServices, record: ContainerRecord) {
    this.#services = services;
    this.#record = record;
  }

  /** The same as `engine.containers.create(options)`. */
  static create(engine: ContainerHost, options: ContainerOptions & Abortable): Promise<Container> {
    return engine.containers.create(options);
  }

  /** 64 hex digits. */
  get id(): string {
    return this.#record.id;
  }

  /** The name it was given, else the first 12 digits of the id; `inspect` tells a name that others have given it since. */
  get name(): string {
    return this.#record.name;
  }

  /** The image's and its own. */
  get labels(): Readonly<Record<string, string>> {
    return this.#record.config.labels;
  }

  /** `created`, `running`, `paused`, `restarting` or `exited`, as it is now. */
  get status(): ContainerStatus {
    return containerState(this.#services, this.#record).status;
  }

  /**
   * Starts the container; resolves when its program runs.
   *
   * @throws EngineError `WRONG_STATE` when it runs already; `PROGRAM_NOT_FOUND` (a shell's 127),
   * `PROGRAM_NOT_EXECUTABLE` (126), `NO_SUCH_USER`, `PORT_TAKEN`, `LAUNCH_FAILED`: then nothing is left of the attempt.
   * `NO_SUCH_CONTAINER` when it was removed.
   */
  async start(options: Abortable = {}): Promise<void> {
    await this.#start(options.signal);
  }

  /** Its checkpoints: what {@link Container.restore} makes its processes again from. */
  get checkpoints(): Checkpoints {
    return new Checkpoints(this.#services, this.#record);
  }

  /** The same as `checkpoints.create(options)`. */
  checkpoint(options: CheckpointOptions = {}): Promise<void> {
    return this.checkpoints.create(options);
  }

  /** Has the processes of a checkpoint go on; see {@link RestoreOptions}. @throws EngineError as `start`, and as told there. */
  restore({ checkpoint = defaultCheckpoint, ...options }: RestoreOptions = {}): Promise<void> {
    return this.#start(options.signal, checkpoint);
  }

  /**
   * Runs a command in the running container and gives its output.
   *
   * @throws EngineError `WRONG_STATE`, `PROGRAM_NOT_FOUND`, `PROGRAM_NOT_EXECUTABLE`, `NO_SUCH_USER`,
   * `OUTPUT_TOO_LARGE`, `RUN_TIMEOUT`.
   */
  async exec(
    command: readonly string[],
    options: ExecOptions & BufferedOptions & Abortable = {},
  ): Promise<CommandResult> {
    checkBounds(options);
    const stdin = options.input === undefined ? 'null' : 'pipe';
    return this.#services.work.run(options.signal, async (signal) => {
      const process = await execProcess(this.#services, this.#record, command, { ...options, stdin, signal });
      return collectResult(process, this.id, { ...options, signal });
    });
  }

  /** Starts a command in the running container and gives its streams. Same errors as {@link Container.exec}. */
  async spawn(command: readonly string[], options: ExecProcessOptions = {}): Promise<ContainerProcess> {
    return this.#services.work.run(options.signal, async (signal) => {
      const process = await execProcess(this.#services, this.#record, command, { stdin: 'pipe', ...options, signal });
      return new ContainerProcess(process);
    });
  }

  /**
   * How the container ends, or has ended. `condition` says what is waited for: that it does not run any more (the default; one
   * with a restart policy when it is not started again), its next exit, or its removal. After a removal its last exit is still
   * known for an hour, in all processes, unless 1024 others were removed since, it was made by `engine.run`, or the host was
   * started anew.
   *
   * @returns the exit; undefined for one that is removed and was never started.
   * @throws EngineError `WRONG_STATE` when it was never started, for the default; `NO_SUCH_CONTAINER` when it was removed and how
   * it has ended is not known; `INVALID_OPTION`.
   */
  wait(options?: RunWaitOptions): Promise<ExitStatus>;
  wait(options: WaitOptions): Promise<ExitStatus | undefined>;
  wait(options: WaitOptions = {}): Promise<ExitStatus | undefined> {
    return waitForCondition(this.#services, this.id, options, this.#latest);
  }

  /**
   * The streams of its first process, shared with everybody else who is attached. While it runs: from now on, or with what
   * was logged before (`logs`). Before it runs, in the process that will start it: from its first byte on, in the next run.
   *
   * @throws EngineError `INVALID_OPTION`, `NO_SUCH_CONTAINER`; `NOT_ATTACHABLE` when it ends in this moment, or 32 others
   * are attached.
   */
  attach(options: AttachOptions = {}): Promise<AttachedStreams> {
    return attachContainer(this.#services, this.#record, options);
  }

  /**
   * The lines of its output, oldest first, of all its runs as far as they are kept; with `follow` until its end. Leaving the
   * loop releases everything.
   *
   * @throws EngineError `INVALID_OPTION`, `CORRUPT_RECORD`; `LOG_OVERRUN` for a follower that is too slow, see
   * {@link LogOptions.onLost}.
   */
  logs(options: LogOptions = {}): AsyncIterable<LogLine> {
    return new LogLineIterator(readLogBlocks(this.#services, this.id, options), options.timestamps === true);
  }

  /**
   * The same as {@link Container.logs} in the form of Docker's json-file: each text is one JSON object and a line break. For
   * files that are read by tools which know Docker's logs.
   */
  jsonFileLogs(options: Omit<LogOptions, 'timestamps'> = {}): AsyncIterable<string> {
    return jsonFileLines(readLogBlocks(this.#services, this.id, options));
  }

  /**
   * Asks it to end (`stopSignal`), and kills it after `timeoutMs`. Its restart policy does not start it again.
   *
   * @throws EngineError `WRONG_STATE` when it was never started.
   */
  stop(options: StopOptions = {}): Promise<ExitStatus> {
    return stopAndTell(this.#services, this.#record, options);
  }

  /**
   * Sends a signal to its first process and does not wait for what comes of it. Signals that are to end it (SIGKILL, its
   * `stopSignal`) let a paused container go on, and keep its restart policy from starting it again; others wait until it
   * goes on.
   *
   * @throws EngineError `WRONG_STATE` when it is not running; `INVALID_OPTION` for an unknown signal.
   * @see OCI runtime-spec, runtime.md, "Kill"
   */
  async kill(signal: string | number = 'SIGKILL'): Promise<void> {
    await signalContainer(this.#services, this.#record, parseSignal(signal));
  }

  /**
   * Gives it another name. Its host name stays.
   *
   * @throws EngineError `INVALID_NAME`, `NAME_TAKEN`, `NO_SUCH_CONTAINER`.
   */
  async rename(name: string): Promise<void> {
    await this.#locked(undefined, async () => {
      this.#record = await renameContainer(this.#services, this.id, name);
    });
  }

  /**
   * Removes the container with everything that it has.
   *
   * @throws EngineError `WRONG_STATE` when it runs and `force` is not set.
   */
  async remove(options: RemoveOptions = {}): Promise<void> {
    const remove = (): Promise<void> => removeContainer(this.#services, this.#record, options);
    try {
      await withContainerLock(this.#services, this.id, undefined, remove);
    } catch (error) {
      if (!EngineError.is(error, 'NO_SUCH_CONTAINER')) throw error; // gone is what was wanted
    }
  }

  /**
   * Changes its limits, at once if it runs, else for its next start; they stay changed. What is left out stays as it is; 0,
   * or `''` for a list, lifts a limit. All of it is done or, when one limit is refused, nothing.
   *
   * @throws EngineError `INVALID_OPTION`, also for a limit that does not go with one that stays (`memory` above an earlier
   * `memorySwap`, `cpus` beside an earlier `cpuQuota`); `CONTROLLER_MISSING`; `SYSTEM_CALL_FAILED` for a limit that the
   * kernel refuses, e.g. on cgroup v1 less memory than is in use; `NO_SUCH_CONTAINER`.
   */
  async update(options: UpdateOptions): Promise<void> {
    await this.#locked(options.signal, (signal) =>
      updateContainer(this.#services, this.#record, { ...options, signal }),
    );
  }

  /**
   * Stops all of its processes where they are; resolves when they have stopped. Its memory, addresses and files stay.
   *
   * @throws EngineError `WRONG_STATE` when it is not running, or is paused already; `CONTROLLER_MISSING` on a host that
   * cannot; `PAUSE_TIMEOUT` after ten seconds, e.g. because a process waits for a broken disk: then it goes on.
   */
  async pause(options: Abortable = {}): Promise<void> {
    await this.#locked(options.signal, (signal) => pauseContainer(this.#services, this.#record, { signal }));
  }

  /**
   * Lets a paused container go on.
   *
   * @throws EngineError `WRONG_STATE` when it is not paused.
   */
  async unpause(options: Abortable = {}): Promise<void> {
    await this.#locked(options.signal, () => unpauseContainer(this.#services, this.#record));
  }

  /**
   * Its processes, while it runs or is paused. They are found through the kernel: no program of the image is needed.
   *
   * @throws EngineError `WRONG_STATE`.
   */
  top(options: Abortable = {}): Promise<readonly ProcessInfo[]> {
    return this.#services.work.run(options.signal, (signal) => topContainer(this.#services, this.#record, { signal }));
  }

  /**
   * What it uses: a single measurement, or with `intervalMs` one after the other, the first at once, until it ends.
   *
   * @throws EngineError `WRONG_STATE` when it is neither running nor paused; `INVALID_OPTION`.
   */
  stats(options?: Abortable): Promise<ContainerStats>;
  stats(options: StatsOptions): AsyncIterable<ContainerStats>;
  stats(options: Abortable | StatsOptions = {}): Promise<ContainerStats> | AsyncIterable<ContainerStats> {
    if ('intervalMs' in options) return followStats(this.#services, this.#record, options);
    return this.#services.work.run(options.signal, async () => {
      return (await measureContainer(this.#services, this.#record)).stats;
    });
  }

  /**
   * What it has changed in the root that its image has given it. A directory in which something has changed has changed itself.
   *
   * @throws EngineError `NOT_COMPARABLE` for a container on files of the host without an overlay, or with one in memory.
   */
  diff(options: Abortable = {}): Promise<readonly RootChange[]> {
    return this.#services.work.run(options.signal, async (signal) =>
      this.#services.rootAccess.changes(await changedRoot(this.#services, this.#record), { signal }),
    );
  }

  /**
   * Makes an image of its image and what it has changed. What is mounted in it is left out, and so are /dev, /proc and /sys. How
   * containers of the new image are started is what this one was started with, then `config`, then `changes`.
   *
   * @throws EngineError `INVALID_REFERENCE`, `INVALID_OPTION`, `NOT_COMPARABLE`, `NO_SUCH_IMAGE` when its image has gone,
   * `NO_SPACE`. After a failure nothing is left.
   */
  commit(options: CommitOptions = {}): Promise<Image> {
    return this.#services.work.run(options.signal, (signal) =>
      withContainerLock(this.#services, this.id, signal, () =>
        commitContainer(this.#services, this.#record, { ...options, signal }),
      ),
    );
  }

  /**
   * Its whole root as a tar archive, without what is mounted in it; `images.import` makes an image of that.
   *
   * @throws EngineError `NOT_COMPARABLE` for a root in memory; `NO_SUCH_CONTAINER`; what the stream meets.
   */
  export(options: Abortable = {}): AsyncIterable<Uint8Array> {
    const { rootAccess, work } = this.#services;
    const whole = { path: '/', name: '', follow: false };
    return work.stream(options.signal, (signal) => rootAccess.pack(rootLayers(this.#record), { ...whole, signal }));
  }

  /**
   * Copies into it, whether it runs or not, as `docker cp` does: a file or directory of the host, a file made of `content`, or an
   * archive. Links of the container lead to places in the container, whatever it does meanwhile. What is mounted in it from the
   * host is reached.
   *
   * @param target - path in the container; relative to its root.
   * @throws EngineError `NO_SUCH_PATH`, `PATH_CONFLICT` where a directory would be replaced by something else or the other way
   * round, `INVALID_ARCHIVE`, `INVALID_OPTION`, `NO_SPACE`; `SYSTEM_CALL_FAILED`, e.g. for a read-only root; `WRONG_STATE` for
   * a running container with a user namespace, and for one that is stopped and has its root in memory. What was written before
   * a failure stays.
   */
  async copyTo(target: string, source: CopySource, options: CopyOptions = {}): Promise<void> {
    await this.#services.work.run(options.signal, (signal) =>
      withWritableView(this.#services, this.#record, signal, (view) =>
        copyInto(this.#services, view, target, source, { ...options, signal }),
      ),
    );
  }

  /**
   * Copies out of it, whether it runs or not, as `docker cp` does: to a path of the host, or without one as a tar archive, in
   * which everything is below the last part of `source` (with `/.` at its end: what is in that directory). Sockets are left
   * out.
   *
   * @param source - path in the container; relative to its root.
   * @throws EngineError `NO_SUCH_PATH`, `PATH_CONFLICT`, `INVALID_OPTION`, `NO_SPACE`, `WRONG_STATE` as for {@link copyTo}.
   */
  copyFrom(source: string, options?: CopyOptions): AsyncIterable<Uint8Array>;
  copyFrom(source: string, target: string, options?: CopyOptions): Promise<void>;
  copyFrom(
    source: string,
    target?: string | CopyOptions,
    options: CopyOptions = {},
  ): AsyncIterable<Uint8Array> | Promise<void> {
    if (typeof target === 'string') return copyOut(this.#services, this.#record, source, target, options);
    return packOut(this.#services, this.#record, source, target ?? {});
  }

  /** What is at a path in it; a link at its end is not followed. @throws EngineError as {@link copyFrom}. */
  stat(path: string, options: Abortable = {}): Promise<PathStatus> {
    return statInside(this.#services, this.#record, path, options);
  }

  /** Everything about it, as plain data. */
  inspect(): Promise<ContainerInspection> {
    return inspectContainer(this.#services, this.#record);
  }

  /** The same as `remove({ force: true })`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.remove({ force: true });
  }

  #start(signal: AbortSignal | undefined, checkpoint?: string): Promise<void> {
    return this.#locked(signal, async (within) => {
      this.#latest = await startContainer(this.#services, this.#record, { signal: within, checkpoint });
    });
  }

  #locked(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    return this.#services.work.run(signal, (workSignal) =>
      withContainerLock(this.#services, this.id, workSignal, () => work(workSignal)),
    );
  }
}

import type { Abortable } from '../../core/abortable.js';
import { withContainerLock } from '../container-lock.js';
import type { ContainerRecord } from '../container-record.js';
import type { ContainerServices } from '../container-services.js';
import { type CheckpointOptions, checkpointContainer } from './checkpoint-container.js';
import { type CheckpointInfo, listCheckpoints, removeCheckpoint } from './list-checkpoints.js';

/**
 * Which checkpoint is restored. Standard streams, address, ports and limits are those of a new start. A checkpoint can be
 * restored many times, as long as the container's files are what they were. Errors: `NO_SUCH_CHECKPOINT`, `CRIU_MISSING`,
 * `CRIU_UNUSABLE`; `CHECKPOINT_FAILED`, also where a restored mount would allow more than before: then nothing is left of it.
 */
export interface RestoreOptions extends Abortable {
  /** Default `checkpoint`. */
  readonly checkpoint?: string;
}

/** The checkpoints of a container: `container.checkpoints`. They go with it. */
export class Checkpoints {
  readonly #services: ContainerServices;
  readonly #record: ContainerRecord;

  /** @internal */
  constructor(services: ContainerServices, record: ContainerRecord) {
    this.#services = services;
    this.#record = record;
  }

  /**
   * Writes the container's processes, with their memory, to files that only root can read; then it ends with code 137, unless
   * `leaveRunning`. What the processes have written to files stays with the container and is no part of it. Takes `criu`.
   *
   * @throws EngineError `CRIU_MISSING`; `CRIU_UNUSABLE` when it does not fit the kernel; `WRONG_STATE` unless it is running;
   * `CHECKPOINT_UNSUPPORTED` for containers with a terminal, a restart policy, a user namespace, namespaces of others or a root
   * in memory; `CHECKPOINT_FAILED` with what criu says, e.g. of established connections: then it goes on; `NAME_TAKEN`,
   * `INVALID_OPTION`.
   * @see criu(8)
   */
  async create(options: CheckpointOptions = {}): Promise<void> {
    await this.#locked(options.signal, (signal) =>
      checkpointContainer(this.#services, this.#record, { ...options, signal }),
    );
  }

  /** Oldest first. @throws EngineError `NO_SUCH_CONTAINER`, `CORRUPT_RECORD`. */
  async list(): Promise<readonly CheckpointInfo[]> {
    this.#services.work.assertOpen();
    return listCheckpoints(this.#services, this.#record.id);
  }

  /** Removes one. @throws EngineError `NO_SUCH_CHECKPOINT`, `INVALID_OPTION`. */
  async remove(name: string): Promise<void> {
    await this.#locked(undefined, () => removeCheckpoint(this.#services, this.#record.id, name));
  }

  #locked(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { work: open } = this.#services;
    return open.run(signal, (within) => withContainerLock(this.#services, this.#record.id, within, () => work(within)));
  }
}

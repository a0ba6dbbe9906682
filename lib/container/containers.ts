import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import type { ExitStatus } from '../core/exit-status.js';
import { Container } from './container.js';
import { containerFiles, readState } from './container-files.js';
import { type ContainerFilters, containerFilter } from './container-filters.js';
import type { ContainerOptions } from './container-options.js';
import type { DamagedRecord } from './container-records.js';
import type { ContainerServices } from './container-services.js';
import { createContainer } from './create-container.js';
import { type PruneContainersOptions, type PrunedContainers, pruneContainers } from './prune-containers.js';
import { removeById } from './remove-by-id.js';
import type { RemoveOptions } from './remove-container.js';

/** Which containers are listed. */
export interface ListContainersOptions {
  /** Default: all containers, whatever they do. */
  readonly filters?: ContainerFilters;
}

/** The containers of an engine: `engine.containers`. */
export class Containers {
  readonly #services: ContainerServices;

  /** @internal */
  constructor(services: ContainerServices) {
    this.#services = services;
  }

  /**
   * Makes a container; nothing runs before its `start()`.
   *
   * @throws EngineError `INVALID_OPTION`, `INVALID_NAME`, `INVALID_PORT_MAPPING`, `NAME_TAKEN`, `NO_SUCH_IMAGE`, and what
   * a pull throws. After a failure nothing is left.
   */
  async create(options: ContainerOptions & Abortable): Promise<Container> {
    const record = await this.#services.work.run(options.signal, (signal) =>
      createContainer(this.#services, { ...options, signal }),
    );
    return new Container(this.#services, record);
  }

  /**
   * The containers of this root, of other processes too, newest first. Those whose record cannot be read are left out: see
   * {@link Containers.damaged}.
   *
   * @throws EngineError `INVALID_OPTION`; `NO_SUCH_CONTAINER` and `AMBIGUOUS_CONTAINER` for `before` and `since`.
   */
  async list(options: ListContainersOptions = {}): Promise<readonly Container[]> {
    this.#services.work.assertOpen();
    const keeps = await containerFilter(this.#services, options.filters ?? {});
    const { records } = await this.#services.records.survey();
    const kept: Container[] = [];
    for (const record of records) if (await keeps(record)) kept.push(new Container(this.#services, record));
    return kept;
  }

  /** Containers whose record cannot be read, and why: damaged, or of another version. Nothing is done to them. */
  async damaged(): Promise<readonly DamagedRecord[]> {
    this.#services.work.assertOpen();
    return (await this.#services.records.survey()).damaged;
  }

  /**
   * The container with a name, an id, or the beginning of one.
   *
   * @throws EngineError `NO_SUCH_CONTAINER`, `AMBIGUOUS_CONTAINER`; `CORRUPT_RECORD`, `UNKNOWN_VERSION`, `TOO_LARGE` for one
   * that is damaged.
   */
  async get(reference: string): Promise<Container> {
    this.#services.work.assertOpen();
    return new Container(this.#services, await this.#services.records.resolve(reference));
  }

  /**
   * How the container with a name, an id, or the beginning of one has ended; undefined when it has not, or was never started. One
   * that was removed is found by its id: see {@link Container.wait}.
   *
   * @throws EngineError `NO_SUCH_CONTAINER`, `AMBIGUOUS_CONTAINER`.
   */
  async exitOf(reference: string): Promise<ExitStatus | undefined> {
    const { work, records, exits, layout } = this.#services;
    work.assertOpen();
    try {
      const state = readState(containerFiles(layout, await records.resolveId(reference)));
      return state.status === 'exited' ? state.exit : undefined;
    } catch (error) {
      const exit = EngineError.is(error, 'NO_SUCH_CONTAINER') ? exits.search(reference) : undefined;
      if (exit === undefined) throw error;
      return exit;
    }
  }

  /**
   * Removes the container with a name, an id, or the beginning of one: the same as `get` and {@link Container.remove}, and the
   * way to be rid of one that is damaged.
   *
   * @throws EngineError `NO_SUCH_CONTAINER`, `AMBIGUOUS_CONTAINER`; `WRONG_STATE` when it runs and `force` is not set.
   */
  async remove(reference: string, options: RemoveOptions = {}): Promise<void> {
    const services = this.#services;
    services.work.assertOpen();
    const id = await services.records.resolveId(reference);
    await removeById(services, id, options);
  }

  /**
   * Removes all containers that are not running, paused or waiting for a restart.
   *
   * @throws EngineError `INVALID_OPTION`.
   */
  prune(options: PruneContainersOptions = {}): Promise<PrunedContainers> {
    return this.#services.work.run(options.signal, (signal) => pruneContainers(this.#services, { ...options, signal }));
  }
}

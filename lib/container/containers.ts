import type { Abortable } from '../core/abortable.js';
import { Container } from './container.js';
import type { ContainerOptions } from './container-options.js';
import type { ContainerServices } from './container-services.js';
import { createContainer } from './create-container.js';

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

  /** All containers of this root, of other processes too, newest first. */
  async list(): Promise<readonly Container[]> {
    this.#services.work.assertOpen();
    return (await this.#services.records.list()).map((record) => new Container(this.#services, record));
  }

  /**
   * The container with a name, an id, or the beginning of one.
   *
   * @throws EngineError `NO_SUCH_CONTAINER`, `AMBIGUOUS_CONTAINER`.
   */
  async get(reference: string): Promise<Container> {
    this.#services.work.assertOpen();
    return new Container(this.#services, await this.#services.records.resolve(reference));
  }
}

import type { Container } from '../../container/container.js';
import { invalidOption } from '../../container/invalid-option.js';
import type { StartedServices } from './service-definition.js';
import type { StartedService } from './started-service.js';

/** What {@link startServices} has started. */
export class RunningServices<Name extends string = string> implements AsyncDisposable {
  readonly #ready = new Map<string, StartedService>();
  /** In the order in which they were made. */
  readonly #containers: Container[] = [];
  #closing: Promise<void> | undefined;

  /** The services by name. */
  get services(): StartedServices<Name> {
    return Object.fromEntries(this.#ready) as StartedServices<Name>;
  }

  /** One of them. @throws EngineError `INVALID_OPTION` for a name that is none of them. */
  get(name: Name): StartedService {
    const found = this.#ready.get(name);
    if (found === undefined) throw invalidOption('name', `one of ${[...this.#ready.keys()].join(', ')}`, name);
    return found;
  }

  /** Kills and removes all of them, the last that was started first. May be called again, also after a failure. */
  close(): Promise<void> {
    this.#closing ??= this.#remove().finally(() => {
      this.#closing = undefined;
    });
    return this.#closing;
  }

  /** The same as {@link RunningServices.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal */
  add(container: Container): void {
    this.#containers.push(container);
  }

  /** @internal */
  ready(service: StartedService): void {
    this.#ready.set(service.name, service);
  }

  /** What could not be removed stays in the list. */
  async #remove(): Promise<void> {
    const failures: unknown[] = [];
    for (const container of [...this.#containers].reverse()) {
      try {
        await container.remove({ force: true });
        this.#containers.splice(this.#containers.indexOf(container), 1);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, 'services could not be removed');
  }
}

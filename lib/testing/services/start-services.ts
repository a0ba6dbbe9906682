import type { ContainerHost } from '../../container/container.js';
import { invalidOption } from '../../container/invalid-option.js';
import type { Abortable } from '../../core/abortable.js';
import { attachCleanupErrors } from '../../core/errors/attach-cleanup-errors.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { waitFor } from '../readiness/wait-for.js';
import { RunningServices } from './running-services.js';
import type { ServiceDefinition, ServiceOptions, StartedServices } from './service-definition.js';
import { serviceGraph } from './service-graph.js';
import { StartedService } from './started-service.js';

/**
 * Starts containers that depend on each other: each when those that it depends on are ready, all others at the same time.
 * Resolves when every one is ready. When one fails, or ends while others are still starting, all are removed.
 *
 * @returns the services by name, and `close()` (also by `await using`) that removes them, the last one first.
 * @throws EngineError `INVALID_OPTION` for unknown names and circles, before anything is started; `SERVICE_FAILED` with the name
 * of the service and the failure as its cause. With `signal` its reason.
 */
export async function startServices<const Definitions extends Readonly<Record<string, ServiceDefinition>>>(
  engine: ContainerHost,
  definitions: Definitions,
  options: Abortable = {},
): Promise<RunningServices<keyof Definitions & string>> {
  const graph = serviceGraph(definitions);
  options.signal?.throwIfAborted();
  const startUp = new StartUp(engine, options.signal);
  return (await startUp.run(definitions, graph)) as RunningServices<keyof Definitions & string>;
}

/** One call of {@link startServices}. */
class StartUp {
  readonly #stop = new AbortController();
  readonly #running = new RunningServices();
  readonly #signal: AbortSignal;

  constructor(
    private readonly engine: ContainerHost,
    private readonly callersSignal: AbortSignal | undefined,
  ) {
    this.#signal = this.#stop.signal;
  }

  async run(
    definitions: Readonly<Record<string, ServiceDefinition>>,
    graph: ReadonlyMap<string, readonly string[]>,
  ): Promise<RunningServices> {
    const onAbort = (): void => this.#stop.abort(this.callersSignal?.reason);
    this.callersSignal?.addEventListener('abort', onAbort, { once: true });
    const starts = new Map<string, Promise<StartedService>>();
    const start = (name: string): Promise<StartedService> => {
      const known = starts.get(name);
      if (known !== undefined) return known;
      const dependencies = (graph.get(name) ?? []).map(start);
      const started = this.#startAfter(name, definitions[name] as ServiceDefinition, dependencies);
      starts.set(name, started);
      return started;
    };
    const all = [...graph.keys()].map(start);
    const settled = await Promise.allSettled(all);
    this.callersSignal?.removeEventListener('abort', onAbort);
    if (this.#signal.aborted || settled.some(({ status }) => status === 'rejected')) {
      return this.#fail(this.#signal.reason);
    }
    this.#stop.abort(new EngineError('CLOSED', { what: 'the start of services' })); // nobody watches for ends any more
    return this.#running;
  }

  /** The first failure stops every other start: its reason is what all of them reject with. */
  async #startAfter(
    name: string,
    definition: ServiceDefinition,
    dependencies: readonly Promise<StartedService>[],
  ): Promise<StartedService> {
    const needed = await Promise.all(dependencies);
    try {
      this.#signal.throwIfAborted();
      return await this.#startOne(name, optionsOf(definition, needed));
    } catch (error) {
      if (!this.#signal.aborted) this.#stop.abort(serviceFailed(name, error));
      throw error;
    }
  }

  async #startOne(name: string, options: ServiceOptions): Promise<StartedService> {
    const { ready, readyTimeoutMs, dependsOn: _, ...settings } = options;
    const signal = this.#signal;
    const container = await this.engine.containers.create({ lifetime: 'owner', ...settings, signal });
    this.#running.add(container);
    await container.start({ signal });
    if (ready !== undefined) {
      await waitFor(container, ready, { signal, ...(readyTimeoutMs !== undefined && { timeoutMs: readyTimeoutMs }) });
    }
    const { network, status } = await container.inspect();
    const service = new StartedService(name, container, network);
    this.#running.ready(service);
    if (status !== 'exited') this.#watch(name, service);
    return service;
  }

  /** Others may wait in vain for a service that has ended. */
  #watch(name: string, { container }: StartedService): void {
    const onEnd = async (): Promise<void> => {
      const exit = await container.wait({ signal: this.#signal });
      if (exit.exitCode === 0) return; // its work is done
      const how = `it ended with exit code ${exit.exitCode} while others were starting`;
      this.#stop.abort(new EngineError('SERVICE_FAILED', { service: name, reason: how }));
    };
    void onEnd().catch(() => undefined);
  }

  async #fail(reason: unknown): Promise<never> {
    try {
      await this.#running.close();
    } catch (error) {
      attachCleanupErrors(reason, [error]);
    }
    throw reason;
  }
}

function optionsOf(definition: ServiceDefinition, needed: readonly StartedService[]): ServiceOptions {
  if (typeof definition !== 'object' || !('options' in definition)) return definition;
  const services: StartedServices = Object.fromEntries(needed.map((each) => [each.name, each]));
  const options = definition.options(services);
  if (typeof options !== 'object' || options === null) throw invalidOption('options', 'options of a service', options);
  return options;
}

function serviceFailed(service: string, error: unknown): EngineError {
  const reason = error instanceof Error ? error.message : String(error);
  return new EngineError('SERVICE_FAILED', { service, reason }, { cause: error });
}

import { Container } from '../container/container.js';
import type { ContainerOptions } from '../container/container-options.js';
import { invalidOption } from '../container/invalid-option.js';
import { EngineError } from '../core/errors/engine-error.js';
import { Engine } from '../engine/engine.js';
import type { EngineOptions } from '../engine/engine-options.js';
import type { Readiness } from './readiness/readiness.js';
import { type WaitForOptions, waitFor } from './readiness/wait-for.js';
import type { RunningServices } from './services/running-services.js';
import type { ServiceDefinition } from './services/service-definition.js';
import { startServices } from './services/start-services.js';

/** The hooks of a test runner; those of vitest and jest have these names, `node:test` calls two of them `before` and `after`. */
export interface TestHooks {
  /** Before the first test. */
  readonly beforeAll: (hook: () => Promise<void>) => unknown;
  /** Before each test. */
  readonly beforeEach: (hook: () => Promise<void>) => unknown;
  /** After each test. */
  readonly afterEach: (hook: () => Promise<void>) => unknown;
  /** After the last test. */
  readonly afterAll: (hook: () => Promise<void>) => unknown;
}

/** How {@link testContainers} prepares tests. */
export interface TestContainersOptions {
  /** How the engine is opened. Workers may share a root, and do so by default. */
  readonly engine?: EngineOptions;
  /** Runs once, before the tests: images that they need are made or pulled here. Default: nothing. */
  readonly prepare?: (engine: Engine) => Promise<unknown>;
}

/** What {@link TestContainers.start} starts. */
export interface StartOptions extends ContainerOptions, WaitForOptions {
  /** Default: when its program runs. */
  readonly ready?: Readiness;
}

/**
 * An engine for the tests of one file or suite, and containers that go by themselves: what is started in a test goes after that
 * test, what is started before the tests goes after all of them. That a test has failed, timed out or left something behind
 * makes no difference, and neither is an error.
 *
 * Tests of one suite that run at the same time would remove each other's containers: these use `await using` instead. Every
 * container has lifetime `owner`: after Ctrl-C or SIGKILL of the runner the kernel ends it.
 *
 * @example
 * import { after, afterEach, before, beforeEach } from 'node:test';
 * const containers = testContainers({ beforeAll: before, beforeEach, afterEach, afterAll: after });
 */
export function testContainers(hooks: TestHooks, options: TestContainersOptions = {}): TestContainers {
  for (const name of ['beforeAll', 'beforeEach', 'afterEach', 'afterAll'] as const) {
    if (typeof hooks?.[name] !== 'function') throw invalidOption(name, 'a hook of the test runner', hooks?.[name]);
  }
  const { prepare, engine } = options;
  const containers = new TestContainers();
  hooks.beforeAll(async () => {
    await containers.open(engine);
    await prepare?.(containers.engine);
  });
  hooks.beforeEach(async () => containers.beginTest());
  hooks.afterEach(async () => containers.endTest());
  hooks.afterAll(async () => containers.close());
  return containers;
}

/** See {@link testContainers}. */
export class TestContainers {
  #engine: Engine | undefined;
  #ofTest: AsyncDisposable[] | undefined;

  /** @throws EngineError `CLOSED` before the first and after the last test. */
  get engine(): Engine {
    if (this.#engine === undefined) throw new EngineError('CLOSED', { what: 'the engine of the tests' });
    return this.#engine;
  }

  /**
   * Makes and starts a container, and waits until it is ready. When it fails the container is removed.
   *
   * @throws EngineError what `containers.create`, `Container.start` and `waitFor` throw.
   */
  async start(options: StartOptions): Promise<Container> {
    const { ready, timeoutMs, signal, ...settings } = options;
    const abortable = { ...(signal !== undefined && { signal }) };
    const container = await Container.create(this.engine, { ...settings, lifetime: 'owner', ...abortable });
    const scope = this.#ofTest;
    scope?.push(container);
    try {
      await container.start(abortable);
      const timeout = { ...(timeoutMs !== undefined && { timeoutMs }) };
      if (ready !== undefined) await waitFor(container, ready, { ...abortable, ...timeout });
    } catch (error) {
      await container.remove({ force: true });
      throw error;
    }
    return container;
  }

  /** The same as the function {@link startServices}, on this engine. */
  async startServices<const Definitions extends Readonly<Record<string, ServiceDefinition>>>(
    definitions: Definitions,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<RunningServices<keyof Definitions & string>> {
    const scope = this.#ofTest;
    const services = await startServices(this.engine, definitions, options);
    scope?.push(services);
    return services;
  }

  /** @internal */
  async open(options: EngineOptions | undefined): Promise<void> {
    this.#engine = await Engine.open(options);
  }

  /** @internal */
  beginTest(): void {
    this.#ofTest = [];
  }

  /** The last that was started goes first. @internal */
  async endTest(): Promise<void> {
    const failures: unknown[] = [];
    for (const each of this.#ofTest?.splice(0).reverse() ?? []) {
      try {
        await each[Symbol.asyncDispose]();
      } catch (error) {
        failures.push(error);
      }
    }
    this.#ofTest = undefined;
    if (failures.length > 0) throw new AggregateError(failures, 'containers of the test could not be removed');
  }

  /** @internal */
  async close(): Promise<void> {
    const engine = this.#engine;
    this.#engine = undefined;
    await engine?.close(); // removes every container of lifetime `owner`
  }
}

import type { CommandResult } from '../container/command-result.js';
import { containersDiskUsage } from '../container/container-disk-usage.js';
import { Containers } from '../container/containers.js';
import type { RootfsOption } from '../container/host-rootfs.js';
import { removeById } from '../container/remove-by-id.js';
import { removeSharedCgroups } from '../container/remove-cgroups.js';
import { type RunOptions, runContainer } from '../container/run-container.js';
import type { Abortable } from '../core/abortable.js';
import type { EngineEvent } from '../core/engine-event.js';
import { attachCleanupErrors } from '../core/errors/attach-cleanup-errors.js';
import { EngineError } from '../core/errors/engine-error.js';
import { Images } from '../image/images.js';
import { type LoginCredential, type LoginResult, login, logout } from '../registry/login.js';
import { toFileError, withTypedFailures } from '../util/file-error.js';
import type { DiskUsage } from './disk-usage.js';
import { EngineEventHub, type EngineEventListener, type EngineEventName } from './engine-events.js';
import { type EngineInfo, type EngineVersion, engineInfo, engineVersion } from './engine-info.js';
import type { EngineOptions } from './engine-options.js';
import { type EventOptions, eventTest } from './events/event-options.js';
import { followEvents } from './events/follow-events.js';
import { endOfJournal } from './events/read-journal.js';
import { checkRuntime } from './preflight.js';
import { recover } from './recover.js';
import type { EngineServices } from './services.js';

/**
 * A container engine in this process. Nothing runs besides containers, each with one small supervisor.
 *
 * Several engines, in several processes, may use one root: they see each other's images and containers.
 */
export class Engine implements AsyncDisposable {
  readonly images: Images;
  readonly containers: Containers;
  readonly #services: EngineServices;
  readonly #events: EngineEventHub;
  readonly #attached = new Set<() => Promise<void>>();
  #closing: Promise<void> | undefined;

  private constructor(services: EngineServices, events: EngineEventHub) {
    this.#services = services;
    this.#events = events;
    this.images = new Images(services.images, services.containers.work, services.searchPath);
    this.containers = new Containers(services.containers);
  }

  /**
   * Opens an engine: looks at the host, makes the directories, repairs what killed processes have left.
   *
   * @throws EngineError `UNSUPPORTED_HOST` saying what is missing; `UNKNOWN_VERSION` for a root of another version.
   */
  static async open(options: EngineOptions = {}): Promise<Engine> {
    checkRuntime(process.platform, process.arch, process.versions.node);
    // Not before that check: on another system the adapters could not even be loaded.
    const { defaultServices } = await import('./default-services.js');
    const events = new EngineEventHub();
    return withTypedFailures(async () => Engine.assemble(await defaultServices(options, events), events));
  }

  /**
   * Puts an engine on services that were made elsewhere.
   *
   * @internal
   */
  static async assemble(services: EngineServices, events: EngineEventHub): Promise<Engine> {
    await recover(services);
    services.containers.health.open(services.containers);
    return new Engine(services, events);
  }

  /**
   * What an engine works with, for what is built on it.
   *
   * @internal
   */
  static servicesOf(engine: Engine): EngineServices {
    engine.#services.containers.work.assertOpen();
    return engine.#services;
  }

  /**
   * Has `close` called when the engine closes, before anything else. Returns how to take that back.
   *
   * @internal
   */
  static attach(engine: Engine, close: () => Promise<void>): () => void {
    engine.#attached.add(close);
    return () => void engine.#attached.delete(close);
  }

  /**
   * Runs a command in a container of its own and gives its exit and output. The container is gone afterwards, whatever
   * happens. A non-zero exit is a result, not an error.
   *
   * @param image - a reference or an id, fetched when it is not here (option `pull`); or files of the host: `{ host: true }`,
   * `{ path }`.
   * @param command - default: the image's.
   * @throws EngineError what `containers.create` and `start` throw; `OUTPUT_TOO_LARGE`, `RUN_TIMEOUT`; the reason of
   * `signal`.
   */
  async run(
    image: string | RootfsOption,
    command?: readonly string[],
    options: RunOptions = {},
  ): Promise<CommandResult> {
    const { containers } = this.#services;
    return containers.work.run(options.signal, (signal) =>
      runContainer(containers, image, command, { ...options, signal }),
    );
  }

  /**
   * Proves a user name and password (or an identity token) to a registry and stores them as `docker login` does: by the
   * credential helper that Docker's `config.json` names, else in that file, which is made for its owner only (0600). The
   * password is not encrypted there. Where the registry gives an identity token in exchange, that is stored instead.
   *
   * @param registry - `host[:port]`; `docker.io` for Docker Hub.
   * @throws EngineError `REGISTRY_DENIED` when it is wrong, `CREDENTIALS_FAILED` when it cannot be stored,
   * `INVALID_OPTION`, and what registries throw.
   */
  async login(registry: string, credential: LoginCredential, options: Abortable = {}): Promise<LoginResult> {
    const { containers, images, credentials } = this.#services;
    const services = { registry: images.registry, credentials };
    return containers.work.run(options.signal, (signal) => login(services, registry, credential, { signal }));
  }

  /**
   * Forgets what {@link Engine.login} (or `docker login`) has stored; false when there was nothing.
   *
   * @throws EngineError `CREDENTIALS_FAILED`, `INVALID_OPTION`.
   */
  async logout(registry: string): Promise<boolean> {
    const { containers, images, credentials } = this.#services;
    return containers.work.run(undefined, () => logout({ registry: images.registry, credentials }, registry));
  }

  /** What images and containers of this root take on disk. */
  async diskUsage(): Promise<DiskUsage> {
    const { containers } = this.#services;
    const images = await this.images.diskUsage();
    return { images, containers: await containers.work.run(undefined, () => containersDiskUsage(containers)) };
  }

  /** What this engine is, and what its host offers. */
  async info(): Promise<EngineInfo> {
    return this.#services.containers.work.run(undefined, () => engineInfo(this.#services));
  }

  /** Versions of the engine and of what is below it. */
  version(): EngineVersion {
    return engineVersion(this.#services);
  }

  /**
   * What happens to containers and images of this root, whichever process does it, supervisors that restart containers with no
   * engine alive included; from the call on, or since an earlier time. Leaving the loop releases everything, and so does closing
   * the engine.
   *
   * @throws EngineError `INVALID_OPTION`, at once; `EVENTS_OVERRUN` when more than 4 MiB of events came before they were read;
   * the reason of `signal`.
   * @see Docker Engine API, `GET /events`
   */
  events(options: EventOptions = {}): AsyncIterable<EngineEvent> {
    const { containers, journal } = this.#services;
    containers.work.assertOpen();
    const isWanted = eventTest(options);
    const position = options.since === undefined ? endOfJournal(journal) : 'begin';
    return containers.work.stream(options.signal, (signal) =>
      followEvents(journal, position, isWanted, { ...options, signal }),
    );
  }

  /** Listens to what happens in this process. Returns how to stop. */
  on<Name extends EngineEventName>(name: Name, listener: EngineEventListener<Name>): () => void {
    return this.#events.on(name, listener);
  }

  /**
   * Aborts what is under way (it rejects with `CLOSED`), ends the containers of lifetime `owner` that this engine has
   * made, removes them, and gives everything else back. Detached containers go on. Safe to call twice; after a failure the next call tries again.
   */
  close(): Promise<void> {
    this.#closing ??= this.#release().catch((error: unknown) => {
      this.#closing = undefined;
      throw error;
    });
    return this.#closing;
  }

  /** The same as {@link Engine.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #release(): Promise<void> {
    const { containers, images, contentLock, teardownNetworks } = this.#services;
    const failures: unknown[] = [];
    const attempt = async (step: () => Promise<void> | void): Promise<void> => {
      try {
        await step();
      } catch (error) {
        failures.push(toFileError(error));
      }
    };
    for (const close of this.#attached) await attempt(close);
    await attempt(() => containers.health.close());
    await containers.work.close();
    containers.attachments.close();
    await Promise.all([...containers.own].map((id) => attempt(() => this.#removeOwn(id))));
    await attempt(teardownNetworks);
    await attempt(() => removeSharedCgroups(containers));
    await attempt(() => containers.launcher.close());
    images.registry.close();
    contentLock.close();
    containers.kernel.dispose();
    this.#events.removeAll();
    if (failures.length === 0) return;
    const [first, ...others] = failures;
    attachCleanupErrors(first, others);
    throw first;
  }

  async #removeOwn(id: string): Promise<void> {
    const { containers } = this.#services;
    try {
      await removeById(containers, id, { force: true });
    } catch (error) {
      if (!EngineError.is(error, 'NO_SUCH_CONTAINER')) throw error; // removed in this moment
    }
  }
}

import { EngineError } from '../../core/errors/engine-error.js';
import type { HttpClient } from '../http-client.js';
import type { MirrorSettings } from '../registry-options.js';
import type { Clock } from './clock.js';
import type { RegistryEndpoint } from './registry-endpoint.js';
import { mayUsePlainHttp, registryUrl } from './registry-url.js';

/** How one registry is spoken to. */
export interface RegistryHost {
  /** Asked first, in this order. */
  readonly mirrors: readonly MirrorSettings[];
  /** With the registry's own certificates; undefined for the client of all. */
  readonly http: HttpClient | undefined;
  /** True to speak TLS also to this machine, to which nothing needs to be encrypted. */
  readonly encrypted: boolean;
}

export interface RegistryHostsOptions {
  readonly http: HttpClient;
  readonly plainHttp: readonly string[];
  readonly clock: Clock;
  /** Default: nothing special about any registry. */
  readonly find?: ((registry: string) => Promise<RegistryHost>) | undefined;
}

/** A mirror that could not be reached is left alone for so long. */
const restMs = 30_000;

/** Where the requests for registries go. */
export class RegistryHosts {
  readonly #options: RegistryHostsOptions;
  readonly #restingUntil = new Map<string, number>();

  constructor(options: RegistryHostsOptions) {
    this.#options = options;
  }

  /** The registry itself. @throws EngineError `INVALID_OPTION` when `registry` is no host. */
  async upstream(registry: string): Promise<RegistryEndpoint> {
    const { plainHttp } = this.#options;
    const url = registryUrl(registry, plainHttp);
    const found = await this.#options.find?.(registry);
    if (found?.encrypted === true) url.protocol = 'https:';
    return {
      registry,
      url,
      http: found?.http ?? this.#options.http,
      prefix: '',
      namespace: undefined,
      mayUsePlainHttp: (to) => mayUsePlainHttp(to, plainHttp),
    };
  }

  /**
   * Lets `attempt` read from the mirrors in their order and at last from the registry itself, until one succeeds. What
   * `attempt` throws counts as that host's failure, except for aborts and credentials that cannot be had.
   */
  async read<T>(
    registry: string,
    signal: AbortSignal | undefined,
    attempt: (endpoint: RegistryEndpoint) => Promise<T>,
  ): Promise<T> {
    const failures: EngineError[] = [];
    for (const mirror of await this.#mirrors(registry)) {
      try {
        return await attempt(mirror);
      } catch (error) {
        signal?.throwIfAborted();
        if (!EngineError.is(error) || EngineError.is(error, 'CREDENTIALS_FAILED')) throw error;
        if (EngineError.is(error, 'REGISTRY_UNREACHABLE')) this.#rest(mirror.registry);
        failures.push(error);
      }
    }
    try {
      return await attempt(await this.upstream(registry));
    } catch (error) {
      throw withMirrors(error, failures);
    }
  }

  async #mirrors(registry: string): Promise<readonly RegistryEndpoint[]> {
    const found = await this.#options.find?.(registry);
    const now = this.#options.clock.now();
    const awake = (found?.mirrors ?? []).filter(({ host }) => (this.#restingUntil.get(host) ?? 0) <= now);
    return Promise.all(
      awake.map(async ({ host, prefix, encrypted }) => {
        const endpoint = await this.upstream(host);
        const url = new URL(endpoint.url);
        if (encrypted === true) url.protocol = 'https:';
        return { ...endpoint, url, prefix, namespace: registry };
      }),
    );
  }

  #rest(host: string): void {
    this.#restingUntil.set(host, this.#options.clock.now() + restMs);
  }
}

/** Who cannot reach the registry itself usually wants to know why the mirror did not do. */
function withMirrors(error: unknown, failures: readonly EngineError[]): unknown {
  if (failures.length === 0 || !EngineError.is(error)) return error;
  const said = failures.map(({ message }) => message).join('; ');
  const cause = new AggregateError([error.cause ?? error, ...failures], `its mirrors failed as well: ${said}`);
  return new EngineError(error.code, error.data, { cause });
}

import type { HttpClient } from '../http-client.js';
import type { RegistrySettings } from '../registry-options.js';
import type { RegistryHost } from './registry-hosts.js';
import { registryUrl } from './registry-url.js';

/** Certificates for one registry, PEM. */
export interface HostCertificates {
  readonly ca: readonly string[];
  readonly identity: { readonly cert: string; readonly key: string } | undefined;
}

export interface FindRegistryHostOptions {
  readonly settings: ReadonlyMap<string, RegistrySettings>;
  /** Undefined where nothing but the usual authorities is needed. */
  readonly certificates: (registry: string) => Promise<HostCertificates | undefined>;
  /** A client with these certificates; its identity is for `host` only. */
  readonly makeHttp: (certificates: HostCertificates, host: string) => HttpClient;
}

/** Finds out how registries are spoken to, for each one once. */
export class RegistryHostFinder {
  readonly #options: FindRegistryHostOptions;
  readonly #found = new Map<string, Promise<RegistryHost>>();
  readonly #clients = new Set<HttpClient>();

  constructor(options: FindRegistryHostOptions) {
    this.#options = options;
  }

  find(registry: string): Promise<RegistryHost> {
    const known = this.#found.get(registry);
    if (known !== undefined) return known;
    const finding = this.#find(registry).catch((error: unknown) => {
      this.#found.delete(registry); // the file may be there the next time
      throw error;
    });
    this.#found.set(registry, finding);
    return finding;
  }

  /** Ends idle connections. */
  close(): void {
    for (const client of this.#clients) client.close();
  }

  async #find(registry: string): Promise<RegistryHost> {
    const { settings, certificates, makeHttp } = this.#options;
    const own = settings.get(registry);
    const found = await certificates(registry);
    const http = found === undefined ? undefined : makeHttp(found, registryUrl(registry, []).host);
    if (http !== undefined) this.#clients.add(http);
    return {
      mirrors: own?.mirrors ?? [],
      http,
      // Certificates are there to be used, also with this machine.
      encrypted: http !== undefined || own?.plainHttp === false,
    };
  }
}

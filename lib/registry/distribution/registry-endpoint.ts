import type { HttpClient } from '../http-client.js';

/** Where requests for a registry go: to itself, or to one of its mirrors. */
export interface RegistryEndpoint {
  /** Whose credentials count, and who is named in errors: of a mirror, the mirror's own host. */
  readonly registry: string;
  /** Scheme, host and port. */
  readonly url: URL;
  readonly http: HttpClient;
  /** Put before the names of repositories; with a final slash unless it is empty. */
  readonly prefix: string;
  /** The registry that a mirror stands for. @see OCI distribution-spec, "Registry Proxying" */
  readonly namespace: string | undefined;
  /** True for hosts to which nothing needs to be encrypted. */
  readonly mayUsePlainHttp: (url: URL) => boolean;
}

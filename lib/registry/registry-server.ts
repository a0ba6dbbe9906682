/** A registry that is served until it is closed. */
export interface RegistryServer extends AsyncDisposable {
  /** The registry part of references on this machine: `127.0.0.1:5000`. */
  readonly host: string;
  readonly port: number;
  readonly url: URL;
  /** Removes blobs that nothing has referred to for a day. It happens every six hours by itself. */
  collectGarbage(): Promise<void>;
  /**
   * Cuts connections, lets requests clean up after themselves, throws away unfinished uploads. Safe to call twice. The
   * same as `await using`.
   */
  close(): Promise<void>;
}

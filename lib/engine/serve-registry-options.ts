import type { RegistryAuth } from '../registry/registry-access.js';
import type { Engine } from './engine.js';

/** How a registry is served, whatever is served. */
export interface RegistryListenOptions {
  /** Address to listen at. Default `'127.0.0.1'`: this machine only. Others need `auth`, and clients want `tls` then. */
  readonly host?: string;
  /** Default 0: one that is free, see `host` of the server. */
  readonly port?: number;
  /** Whom to let in. Default: everybody, for everything. */
  readonly auth?: RegistryAuth;
  /** True to take nothing. Default false. */
  readonly readonly?: boolean;
  /** Certificate and key, and authorities that clients' certificates must be of; each PEM or the path of a PEM file. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
  /** True to let the process end while the registry is served. Default false, as with any server of Node. */
  readonly unref?: boolean;
  /** An upload on which nobody works for so long is thrown away. Default one hour. */
  readonly uploadExpiryMs?: number;
  /** Told of failures that clients only see as an internal error (a broken disk, say). Default: nobody is. */
  readonly onError?: (error: unknown) => void;
}

/** What is served, and how. */
export type ServeRegistryOptions = RegistryListenOptions &
  (
    | {
        /**
         * Serves this engine's images under the names that the engine knows them by (`debian`, `ghcr.io/owner/app`; names
         * with a port cannot be written in a path). What is pushed becomes an image of the engine.
         */
        readonly engine: Engine;
        readonly directory?: never;
      }
    | {
        /** Serves what was pushed to it before; made if missing. Several servers may share it. */
        readonly directory: string;
        readonly engine?: never;
      }
  );

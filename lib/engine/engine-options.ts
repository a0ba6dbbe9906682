import type { LayerStore } from '../layers/layer-store.js';
import type { NetworkDriver } from '../network/network-driver.js';
import type { CredentialSource } from '../registry/credential-source.js';
import type { RegistryClient } from '../registry/registry-client.js';
import type { RegistryOptions } from '../registry/registry-options.js';
import type { Checkpointer } from '../runtime/checkpointer.js';
import type { Launcher } from '../runtime/launcher.js';

/** How an engine is opened. */
export interface EngineOptions {
  /** Directory of everything durable; made if missing. Default `/var/lib/tscontainer`. */
  readonly root?: string;
  /** Directory of what a reboot makes void; made if missing. Default: one for each root below `/run/tscontainer`. */
  readonly runRoot?: string;
  /** Registries (`host:port`) that are spoken to without TLS, besides those on this machine. Default: none. */
  readonly insecureRegistries?: readonly string[];
  /**
   * How single registries are spoken to, by `host[:port]` (`docker.io` for Docker Hub): mirrors, certificates,
   * credentials. Default: nothing special.
   */
  readonly registries?: Readonly<Record<string, RegistryOptions>>;
  /**
   * Directories in which `HOST:PORT/*.crt` (and `*.cert` with `*.key`) are the certificates for that registry, unless
   * `registries` has some. Default `/etc/containers/certs.d`, then `/etc/docker/certs.d`; an empty list for none.
   */
  readonly certificateDirectories?: readonly string[];
  /** An exchange with a registry in which nothing moves for so long is given up and tried again. Default 60 000. */
  readonly registryStallTimeoutMs?: number;
  /** Docker's `config.json` with stored credentials. Default: `~/.docker/config.json`; the file need not exist. */
  readonly dockerConfig?: string;
  /** Where credentials come from, instead of `dockerConfig`. */
  readonly credentials?: CredentialSource;
  /**
   * How layers are kept. `'overlay'`: unpacked, one directory each. `'copy'`: one tree for each image, which is copied for each
   * container. `'erofs'`: not unpacked but indexed, and mounted (Linux 6.15); pulls are quicker and make few files, but every
   * container of an image has page cache of its own, and none can have a user namespace. `'auto'`: overlay where the host has
   * it, else copies. Images have to be pulled again after a change. Default `'auto'`.
   */
  readonly layerStore?: 'auto' | 'overlay' | 'copy' | 'erofs';
  /** Group, relative to the root of the cgroup hierarchies, that holds all containers. Default: the root itself. */
  readonly cgroupParent?: string;
  /**
   * Another OCI runtime that makes the containers, like `'runc'`, `'crun'` or a path: for what only that one can do. It costs
   * time at each start, and has no {@link ContainerSettings.init}. Default: this package's own.
   */
  readonly runtime?: string;
  /**
   * The program that writes containers to checkpoints and restores them: a path, or a name that is looked for in the usual
   * directories of a system. It is needed for that only. Default `criu`.
   */
  readonly criu?: string;
  /** Replaces what makes checkpoints. */
  readonly checkpointer?: Checkpointer;
  /** Replaces the layer store. */
  readonly layers?: LayerStore;
  /** Replaces the launcher. */
  readonly launcher?: Launcher;
  /** Replaces the registry client. */
  readonly registry?: RegistryClient;
  /** Replaces network drivers of the same name: `bridge`, `host`, `none`. */
  readonly networks?: readonly NetworkDriver[];
}

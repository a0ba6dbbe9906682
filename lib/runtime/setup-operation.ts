import type { NamespaceKind } from './namespace-kind.js';

/**
 * The operations that the OCI runtime-spec needs beyond those of an engine's own containers. Numbered slots hold what one
 * operation opens and a later one uses: one row of slots for mounts, another for processes, namespaces and sockets.
 */
export type SetupOperation =
  | SlotMountOperation
  | JoinOperation
  | RendezvousOperation
  | AttributeOperation
  | RunHook
  | Delegate
  | Revive
  | ListenOperation;

/**
 * The last one of a child that is not the container itself: another OCI runtime makes the container, whose first process
 * becomes the supervisor's. The user is looked up in the root that the child holds.
 */
export interface Delegate {
  readonly op: 'delegate';
  /** As in `named-identity`. */
  readonly user: string;
  readonly groups: readonly string[];
  /** A file that is written: `before`, the user as JSON, `after`. */
  readonly config: string;
  readonly before: string;
  readonly after: string;
  /** A command line, its program by absolute path. When it has ended with 0, `pidFile` has the process. */
  readonly create: readonly string[];
  /** The one after it; empty for none. When it has ended with 0, the program runs. */
  readonly start: readonly string[];
  readonly environment: readonly string[];
  readonly pidFile: string;
  /** Whose last line, or `msg` in it, says why a command line has failed. */
  readonly log: string;
  /** A socket that is made for `create` to send a terminal to; '' for none. */
  readonly consoleSocket: string;
}

/** The last one of a child that is not the container itself: a program makes processes again, whose first is the container's. */
export interface Revive {
  readonly op: 'revive';
  /** A command line, its program by absolute path. When it has ended with 0, `pidFile` has the process. */
  readonly arguments: readonly string[];
  readonly environment: readonly string[];
  /** Directories of the host that are read-only for it, and where it mounts them. */
  readonly protectedSources: readonly string[];
  readonly pidFile: string;
  /** Whose last line says why it has failed. */
  readonly log: string;
}

/** A mount is made, given attributes, and put in place: by different processes if need be. */
export type SlotMountOperation =
  /** In `prepare`: a copy of the mount that the process in `target` has at `path`, e.g. its /dev/shm. */
  | { readonly op: 'borrow-mount'; readonly slot: number; readonly target: number; readonly path: string }
  /** In `prepare`: an overlay whose layers are idmapped to the user namespace in slot `users`. */
  | {
      readonly op: 'mapped-overlay';
      readonly slot: number;
      readonly users: number;
      /** Topmost first. */
      readonly lower: readonly string[];
      /** In the same directory as `work`. */
      readonly upper: string;
      readonly work: string;
      /** An existing directory, on which it is mounted where nobody sees it. */
      readonly target: string;
      readonly volatile: boolean;
      /** The ids of the host that are the container's 0. */
      readonly uid: number;
      readonly gid: number;
    }
  | {
      /** `prepare`: with the host's rights; `child`: with those of the container's namespaces. */
      readonly op: 'make-mount';
      readonly slot: number;
      /** '' copies what is at `source`. */
      readonly type: string;
      /** On the host, for a copy. */
      readonly source: string;
      /** `key=value` or `flag`. See fsconfig(2). */
      readonly options: readonly string[];
      /** The copy has the mounts below the source too. */
      readonly recursive: boolean;
      /** A source that is a symbolic link is taken itself. */
      readonly noFollow: boolean;
    }
  | {
      readonly op: 'mount-attributes';
      readonly slot: number;
      /** MOUNT_ATTR_… See mount_setattr(2). */
      readonly set: bigint;
      readonly clear: bigint;
      /** MS_PRIVATE and the like, 0 for none. */
      readonly propagation: number;
      readonly recursive: boolean;
      /** Slot of the user namespace whose maps the mount gets. */
      readonly idMapSlot: number | undefined;
    }
  | {
      readonly op: 'place-mount';
      readonly slot: number;
      /** In the container; made when missing, as what the mount is. */
      readonly target: string;
      /** Refuses a target whose path holds a symbolic link. */
      readonly noLinks: boolean;
      /** First copies what the target holds into the mount. */
      readonly copyUp: boolean;
      /** The mount gets the mode of the directory that it covers. */
      readonly inheritMode: boolean;
      /** A target that is a symbolic link is covered itself. */
      readonly noFollow: boolean;
    }
  /** Puts the mount on a directory of the host, in the container's mount namespace, and takes it as the root. */
  | { readonly op: 'place-root'; readonly slot: number; readonly path: string }
  /** A device node in a file system of its own: mknod(2) is not for user namespaces. */
  | {
      readonly op: 'make-node-mount';
      readonly slot: number;
      readonly kind: 'char' | 'block' | 'fifo';
      readonly mode: number;
      readonly major: number;
      readonly minor: number;
      readonly uid: number;
      readonly gid: number;
    }
  /** Like `node`, content with the same device in the same place. */
  | {
      readonly op: 'ensure-node';
      readonly path: string;
      readonly kind: 'char' | 'block' | 'fifo' | 'file';
      readonly mode: number;
      readonly major: number;
      readonly minor: number;
      readonly uid: number;
      readonly gid: number;
    }
  /** Instead of `pivot-root`, where the kernel refuses that. */
  | { readonly op: 'change-root' };

/** What concerns namespaces that are joined, and those of user and time. */
export type JoinOperation =
  /** A user namespace that carries maps for mounts. */
  | { readonly op: 'map-users'; readonly slot: number; readonly uidMap: string; readonly gidMap: string }
  /** Fails when the file is no namespace of this kind. */
  | { readonly op: 'open-namespace'; readonly slot: number; readonly path: string; readonly kind: NamespaceKind }
  /** The child is born into a new time namespace; lines as in /proc/PID/timens_offsets. See time_namespaces(7). */
  | { readonly op: 'time-namespace'; readonly offsets: string }
  /** In a PID namespace that `unshare` has made, the child goes on as another process; the shim learns of it by `await-fork`. */
  | { readonly op: 'fork-again' }
  | { readonly op: 'await-fork' }
  /** Root of the new user namespace, once its maps are there. */
  | { readonly op: 'become-root' };

/** Shim and child wait for each other. */
export type RendezvousOperation =
  /** In `parent`: lets the child pass its next `sync`. The end of the stage does so too. */
  | { readonly op: 'release-child' }
  /** In `parent`: waits for the child's `ready`. */
  | { readonly op: 'await-child' }
  | { readonly op: 'ready' }
  /** The child waits until somebody gives the order through the socket of `listen`. */
  | { readonly op: 'await-start' }
  /** The caller becomes the parent of the child and gets its exit status; the shim only watches it. */
  | { readonly op: 'hand-over' };

/** What connects the process with listeners outside. */
export type ListenOperation =
  /** A UNIX socket that takes orders for as long as the shim lives (native/src/contact.c). */
  | { readonly op: 'listen'; readonly path: string }
  | { readonly op: 'connect'; readonly slot: number; readonly path: string }
  /** Like `terminal`, for one that is handled at the other end of the socket in `slot`. */
  | { readonly op: 'console'; readonly slot: number; readonly columns: number; readonly rows: number };

/** Runs a program on the host (`parent`) or in the namespaces of the container (`child`) and waits for its success. */
export interface RunHook {
  readonly op: 'run-hook';
  readonly path: string;
  readonly arguments: readonly string[];
  readonly environment: readonly string[];
  /** 0: none. */
  readonly timeoutSeconds: number;
  /** Working directory; '' leaves it. */
  readonly directory: string;
  /** Its stdin is `before`, the container's pid on the host, `after`. */
  readonly before: string;
  readonly after: string;
}

/** What the process is given beside user, groups and capabilities. */
export type AttributeOperation =
  /** See personality(2). */
  | { readonly op: 'personality'; readonly domain: number }
  /** See sched_setattr(2). */
  | {
      readonly op: 'scheduler';
      readonly policy: number;
      readonly nice: number;
      readonly priority: number;
      readonly flags: bigint;
      readonly runtime: bigint;
      readonly deadline: bigint;
      readonly period: bigint;
    }
  /** See ioprio_set(2). */
  | { readonly op: 'io-priority'; readonly value: number }
  /** See sched_setaffinity(2). */
  | { readonly op: 'cpu-affinity'; readonly processors: readonly number[] }
  /** See set_mempolicy(2). */
  | { readonly op: 'memory-policy'; readonly mode: number; readonly nodes: readonly number[] }
  /** Writes a file below /proc/self/attr: a label of AppArmor or SELinux. Before the pivot. */
  | { readonly op: 'label'; readonly file: string; readonly label: string }
  /** Gives stdin, stdout and stderr to the user unless they are devices. */
  | { readonly op: 'stdio-owner'; readonly uid: number; readonly gid: number }
  /** Numbers of descriptors that the program gets from the caller, rising, from 3. */
  | { readonly op: 'keep-descriptors'; readonly numbers: readonly number[] }
  /** Fails as `execute` would when there is no such program. `search` is PATH. */
  | { readonly op: 'find-program'; readonly program: string; readonly search: string }
  /** HOME for `execute`, from the user database of the container. */
  | { readonly op: 'find-home'; readonly uid: number }
  /** A filter with a listener, which goes to the socket in `slot` beside `before`, the pid, `after`. */
  | {
      readonly op: 'seccomp-notify';
      readonly flags: number;
      readonly filter: Uint8Array;
      readonly slot: number;
      readonly before: string;
      readonly after: string;
    };

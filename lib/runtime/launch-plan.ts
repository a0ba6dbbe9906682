import type { NamespaceKind } from './namespace-kind.js';
import type { SetupOperation } from './setup-operation.js';

/**
 * A launch plan: what the shim does to start one process, as plain data. TypeScript decides everything and writes it
 * down here; the shim executes the operations in order and knows nothing of images, networks or JSON. A plan can be
 * printed, compared, stored, and executed again for a restart.
 *
 * Stages, and who executes them:
 * - `prepare`: the shim, before the child exists. Cgroups are made here.
 * - `parent`: the shim, while the child exists. The child's network namespace is open as descriptor 100.
 * - `child`: the child in its new namespaces. Its `sync` operation waits until `parent` is done.
 * - `cleanup`: the shim, after the container has ended or its start has failed; errors are reported but skip nothing.
 */
export interface LaunchPlan {
  /** Namespaces that are made new for the child. */
  readonly namespaces: readonly NamespaceKind[];
  /**
   * The child borrows the shim's memory until it executes its program, as with vfork(2): nothing is copied. Stage
   * `parent` must be empty then, and no operation may wait for the shim. Not for a child whom processes of a container
   * with CAP_SYS_PTRACE can see. Default false.
   */
  readonly sharesMemory?: boolean;
  readonly prepare: readonly PlanOperation[];
  readonly parent: readonly PlanOperation[];
  readonly child: readonly PlanOperation[];
  readonly cleanup: readonly PlanOperation[];
}

/** The stages in the order of the wire format. */
export const planStages = ['prepare', 'parent', 'child', 'cleanup'] as const;
export type PlanStage = (typeof planStages)[number];

/** In stage `parent`, netlink messages refer to the container's network namespace by this number (IFLA_NET_NS_FD). */
export const CONTAINER_NETNS_FD = 100;

/** One step. Paths on the host are absolute; paths in the container are resolved below its root. */
export type PlanOperation =
  | HostOperation
  | NamespaceOperation
  | RootOperation
  | MountOperation
  | NodeOperation
  | ProcessOperation
  | SetupOperation;

/** What touches the host. */
export type HostOperation =
  | MakeDirectory
  | RemoveDirectory
  | RemoveTree
  | DiscardTree
  | WriteFile
  | WriteValues
  | MakeFile
  | Own
  | SavedOperations
  | JoinCgroup
  | DeviceFilter
  | ThawOnKill
  | KillGroup
  | Netlink
  | ReservePort;

/** mkdir(2); an existing directory is fine, missing ones above it are made. */
export interface MakeDirectory {
  readonly op: 'make-directory';
  readonly path: string;
  readonly mode: number;
}

/** rmdir(2) in stage `cleanup`; a missing directory is fine. Tried again while busy, for about a second. */
export interface RemoveDirectory {
  readonly op: 'remove-directory';
  readonly path: string;
}

/** Removes a directory with everything below it, in stage `cleanup`; a missing one is fine. */
export interface RemoveTree {
  readonly op: 'remove-tree';
  readonly path: string;
}

/**
 * The same for a directory that may take its time: it is moved to `trash` in the same file system, and removed from there
 * when the clean-up is done and told.
 */
export interface DiscardTree {
  readonly op: 'discard-tree';
  readonly path: string;
  readonly trash: string;
}

/** Opens an existing file (of a cgroup, a sysctl) and writes `data` in one write(2). */
export interface WriteFile {
  readonly op: 'write-file';
  readonly path: string;
  readonly data: string;
}

/** The same for several values, one write(2) each: files like `devices.allow` take them one after the other. */
export interface WriteValues {
  readonly op: 'write-values';
  readonly path: string;
  readonly values: readonly string[];
}

/** Makes a file with this content, in place of one that is there. */
export interface MakeFile {
  readonly op: 'make-file';
  readonly path: string;
  readonly mode: number;
  readonly data: string;
}

/** In `prepare`: chown(2) of files of the host that the engine has made; missing ones are passed over. */
export interface Own {
  readonly op: 'own';
  readonly paths: readonly string[];
  readonly uid: number;
  readonly gid: number;
}

/**
 * In `prepare`: when there is a file at `path`, the operations of the same stage of the plan in it take the place of the next
 * `replaced` ones.
 */
export interface SavedOperations {
  readonly op: 'saved-operations';
  readonly path: string;
  readonly replaced: number;
}

/**
 * In `prepare`: the child will be in the cgroup with this directory before it does anything else. On v2 it is born
 * there; on v1 it moves itself, which takes no system-wide lock.
 */
export interface JoinCgroup {
  readonly op: 'join-cgroup';
  readonly path: string;
}

/**
 * Loads a program of type BPF_PROG_TYPE_CGROUP_DEVICE and attaches it to a cgroup of v2; it goes with the group. Device
 * programs of groups above stay in force.
 *
 * @see bpf(2); kernel Documentation/admin-guide/cgroup-v2.rst, "Device controller"
 */
export interface DeviceFilter {
  readonly op: 'device-filter';
  /** Directory of the group. */
  readonly path: string;
  /** An array of struct bpf_insn. */
  readonly program: Uint8Array;
}

/**
 * When the shim kills its child, it writes `data` to `path` after it: a process that is frozen by cgroup v1 takes not even
 * SIGKILL.
 */
export interface ThawOnKill {
  readonly op: 'thaw-on-kill';
  readonly path: string;
  readonly data: string;
}

/** In `prepare`: when the first process has ended, all of this cgroup and those below it are ended, too. */
export interface KillGroup {
  readonly op: 'kill-group';
  /** Directory of the group. */
  readonly path: string;
}

/** Binds a socket that the shim keeps for the life of the container: no other program gets the host port. */
export interface ReservePort {
  readonly op: 'reserve-port';
  readonly protocol: 'tcp' | 'udp';
  /** IPv4 or IPv6 literal. */
  readonly address: string;
  readonly port: number;
}

/**
 * Sends netlink messages on one socket and waits until each message that asks for it (NLM_F_ACK) is acknowledged.
 *
 * In `prepare`, `parent` and `cleanup` it acts on the network namespace of the shim (the host's); in `child` on the
 * container's.
 */
export interface Netlink {
  readonly op: 'netlink';
  readonly protocol: 'route' | 'netfilter';
  /** One or more complete messages, padded to four bytes, sent as one datagram. */
  readonly messages: Uint8Array;
  /** Errnos (positive) that count as success, e.g. ENOENT in a clean-up. */
  readonly tolerate: readonly number[];
  /** What each acknowledged message does, for error messages; not sent to the shim. */
  readonly labels: readonly string[];
}

/** What concerns namespaces. */
export type NamespaceOperation =
  /** In `prepare`: the shim makes the child's network namespace; messages refer to it as in stage `parent`. */
  | { readonly op: 'new-network' }
  /** The rest of `prepare` acts inside that namespace, and the child is born there. */
  | { readonly op: 'enter-network' }
  /** Takes hold of a process, identified by pid and start time (proc(5), field 22), as number `slot` (0…7). */
  | { readonly op: 'open-process'; readonly slot: number; readonly pid: number; readonly startTicks: bigint }
  /** setns(2) to namespaces of the process in `slot`. In `prepare` only `pid`: it takes effect for the child. */
  | { readonly op: 'join-namespace'; readonly slot: number; readonly kinds: readonly NamespaceKind[] }
  /** Writes the child's uid_map, gid_map or setgroups (user_namespaces(7)); stage `parent`. */
  | { readonly op: 'write-id-map'; readonly kind: 'uid' | 'gid' | 'setgroups'; readonly map: string }
  /** Waits until stage `parent` is done. */
  | { readonly op: 'sync' }
  | { readonly op: 'unshare'; readonly kinds: readonly NamespaceKind[] }
  | { readonly op: 'hostname'; readonly name: string }
  | { readonly op: 'domainname'; readonly name: string };

/** What makes the container's root. */
export type RootOperation =
  /** Propagation of every mount of the new namespace; `slave` receives from the host and gives nothing back. */
  | {
      readonly op: 'propagation';
      readonly mode: 'private' | 'slave' | 'shared' | 'unbindable';
      /** Of "/" alone. Default: of everything below it too. */
      readonly alone?: boolean;
    }
  | {
      readonly op: 'overlay-root';
      /** Topmost first. */
      readonly lower: readonly string[];
      readonly upper: string;
      readonly work: string;
      /** An existing directory of the host on which the root is mounted, in the container's mount namespace only. */
      readonly target: string;
      readonly volatile: boolean;
      /** Overlay attributes are in `user.*`: for mounts inside a user namespace. */
      readonly userXattr: boolean;
    }
  /** Mounts a file system in memory with directories `upper` and `work` on an existing directory of the host. */
  | { readonly op: 'scratch'; readonly path: string }
  | { readonly op: 'bind-root'; readonly source: string; readonly target: string }
  /** Takes an existing directory as the root below which paths are resolved. */
  | { readonly op: 'use-root'; readonly path: string }
  | { readonly op: 'pivot-root' }
  | { readonly op: 'readonly-root' };

/** Attributes of one mount. @see mount_setattr(2) */
export type MountAttribute =
  | 'ro'
  | 'nosuid'
  | 'nodev'
  | 'noexec'
  | 'noatime'
  | 'strictatime'
  | 'nodiratime'
  | 'nosymfollow';

/** All that a mount can have. */
export const mountAttributes: readonly MountAttribute[] = [
  ...(['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'strictatime', 'nodiratime', 'nosymfollow'] as const),
];

/** What is mounted below the container's root. */
export type MountOperation =
  | {
      readonly op: 'mount';
      readonly type: string;
      readonly target: string;
      /** Options of the file system: `key=value` or `flag`. @see fsconfig(2) */
      readonly options: readonly string[];
      readonly attributes: readonly MountAttribute[];
      /** Refuses a target whose path holds a symbolic link. */
      readonly noLinks: boolean;
    }
  | {
      readonly op: 'bind';
      /** On the host. */
      readonly source: string;
      readonly target: string;
      readonly recursive: boolean;
      readonly attributes: readonly MountAttribute[];
      /** What is made as mount point when missing. */
      readonly kind: 'file' | 'directory';
    }
  /** Hides a file (behind /dev/null) or a directory (behind an empty one); absent is fine. */
  | { readonly op: 'mask'; readonly path: string }
  /** Makes what is below a path read-only; absent is fine. */
  | { readonly op: 'readonly-path'; readonly path: string };

/** What is made inside the container's root. */
export type NodeOperation =
  | {
      readonly op: 'node';
      readonly path: string;
      readonly kind: 'char' | 'block' | 'fifo' | 'file';
      readonly mode: number;
      readonly major: number;
      readonly minor: number;
      readonly uid: number;
      readonly gid: number;
    }
  | { readonly op: 'symlink'; readonly path: string; readonly destination: string }
  | {
      readonly op: 'root-directory';
      readonly path: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

/** What concerns the process itself. */
export type ProcessOperation =
  | { readonly op: 'rlimit'; readonly resource: number; readonly soft: bigint; readonly hard: bigint }
  | { readonly op: 'oom-score'; readonly score: number }
  | { readonly op: 'umask'; readonly mask: number }
  | { readonly op: 'session' }
  /** A new terminal of the container's devpts becomes stdin, stdout and stderr. */
  | { readonly op: 'terminal'; readonly columns: number; readonly rows: number }
  /** chdir(2) in the container; fails when that leads outside. */
  | { readonly op: 'working-directory'; readonly path: string }
  /** Drops every capability from the bounding set but these (bit mask). */
  | { readonly op: 'bounding'; readonly keep: bigint }
  | { readonly op: 'identity'; readonly uid: number; readonly gid: number; readonly groups: readonly number[] }
  /** `name`, `uid`, `name:group`, `uid:gid` or '' for root; names are looked up in the container's /etc. */
  | { readonly op: 'named-identity'; readonly user: string; readonly groups: readonly string[] }
  | {
      readonly op: 'capabilities';
      readonly effective: bigint;
      readonly permitted: bigint;
      readonly inheritable: bigint;
      readonly ambient: bigint;
    }
  | { readonly op: 'no-new-privileges' }
  /** Installs a filter: an array of struct sock_filter, as in seccomp(2). */
  | { readonly op: 'seccomp'; readonly flags: number; readonly filter: Uint8Array }
  /** The process goes on as its own child. What stays is process 1 of the container: it reaps and passes signals on. */
  | { readonly op: 'init' }
  /** The last one. A program without a slash is searched in PATH of `environment`; HOME is added from the user. */
  | { readonly op: 'execute'; readonly arguments: readonly string[]; readonly environment: readonly string[] };

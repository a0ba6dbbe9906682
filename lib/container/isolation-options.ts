import type { IdMapping } from '../runtime/container-spec.js';
import type { SeccompProfile } from '../runtime/seccomp/profile.js';

/** Whose namespace a container is in: its own, the host's, or that of another container (id, beginning of one, or name). */
export type NamespaceMode = 'private' | 'host' | `container:${string}`;

/** A device of the host inside the container. */
export interface DeviceMapping {
  /** Path on the host. */
  readonly source: string;
  /** Path in the container. Default: the same. */
  readonly target?: string;
  /** Some of `r`, `w` and `m` (make nodes). Default `'rwm'`. */
  readonly access?: string;
}

/** Who a process is and what it may do. */
export interface PrivilegeOptions {
  /** `name`, `uid`, `name:group`, `uid:gid`; names are looked up in the image. Default: the image's, else root. */
  readonly user?: string;
  /** Further groups, names or numbers. */
  readonly groupAdd?: readonly string[];
  /**
   * All capabilities, all devices of the host, no filter of system calls, nothing hidden or read-only in /proc and /sys.
   * Whoever is root inside is root of the host. Default false.
   */
  readonly privileged?: boolean;
  /** Capabilities beyond Docker's default fourteen; `'ALL'` for all. */
  readonly capAdd?: readonly string[];
  /** Capabilities taken away; `'ALL'` for all. */
  readonly capDrop?: readonly string[];
  /** No program gains rights by set-user-id or file capabilities. Default false. */
  readonly noNewPrivileges?: boolean;
  /** Filter of system calls. Default: `'default'`, in effect Docker's; with `privileged` `'unconfined'`. */
  readonly seccomp?: 'default' | 'unconfined' | SeccompProfile;
  /**
   * Docker's texts: `no-new-privileges`, `seccomp=unconfined` or `=builtin` or `=JSON`, `systempaths=unconfined`,
   * `writable-cgroups`, `apparmor=PROFILE`, `label=disable`, `label=user:…` (`role`, `type`, `level`).
   *
   * @throws EngineError `UNSUPPORTED_HOST` for AppArmor or SELinux on a host without; `apparmor=unconfined` and
   * `label=disable` are always fine.
   */
  readonly securityOpt?: readonly string[];
  /** Absolute paths of /proc and /sys that are hidden, instead of the default ones; `[]` hides nothing. */
  readonly maskedPaths?: readonly string[];
  /** Absolute paths of /proc and /sys that cannot be written, instead of the default ones. */
  readonly readonlyPaths?: readonly string[];
}

/** The ids of a user namespace: lists of ranges, which must have the container's 0. @see user_namespaces(7) */
export interface UserNamespaceOption {
  readonly uids: readonly IdMapping[];
  readonly gids: readonly IdMapping[];
}

/** What a container shares with its host and with others, and what of the host is inside. */
export interface IsolationOptions {
  /** Default `'private'`. With another one the container's processes are ended one by one when its first has ended. */
  readonly pid?: NamespaceMode;
  /** `'none'`: without /dev/shm. `'shareable'` is the same as `'private'`, Docker's default. */
  readonly ipc?: NamespaceMode | 'shareable' | 'none';
  readonly uts?: 'private' | 'host';
  /**
   * `'host'`: users inside are those of the host. Else a user namespace with these ids: root inside is nobody special on the
   * host, has no rights over it, and cannot raise hard limits. Files of the image belong to whom they belong, with Linux 5.19
   * and layers on a file system that takes idmapped mounts; files of bind mounts belong to whom they belong on the host. Not
   * with `privileged`, namespaces of the host or of others, and `rootfs: { host: true }`. Default `'host'`.
   */
  readonly userns?: 'host' | UserNamespaceOption;
  readonly cgroupns?: 'private' | 'host';
  /**
   * Whether the container may make cgroups of its own, as systemd and engines inside do, within its limits, which stay out of
   * its reach. Not the controller cpuset of v1. Default false.
   */
  readonly writableCgroups?: boolean;
  /**
   * Groups below which the container's is made (`PARENT/tscontainer/ID` in each hierarchy), like `'tests/one'`; a leading
   * slash means the same. Default: the engine's `cgroupParent`.
   */
  readonly cgroupParent?: string;
  /** Devices of the host: `'/dev/fuse'`, `'/dev/sda:/dev/xvda:r'`, or objects. A directory stands for all devices in it. */
  readonly devices?: readonly (string | DeviceMapping)[];
  /** What may be done with further devices, as in `'c 1:3 rwm'` or `'b 8:* r'`; `a` is both kinds. */
  readonly deviceCgroupRules?: readonly string[];
  /** File systems in memory by target, with Docker's options: `{ '/run': 'size=64m,mode=1777,exec' }`. */
  readonly tmpfs?: Readonly<Record<string, string>>;
  /** Kernel parameters of the container's own namespaces, like `net.ipv4.ip_forward`. */
  readonly sysctls?: Readonly<Record<string, string>>;
  /** A process 1 of our own beside the program, which reaps orphans and passes signals on. Default false. */
  readonly init?: boolean;
  /** NIS domain name. */
  readonly domainname?: string;
}

import type { RootMount } from '../core/mount.js';
import type { ProcessIdentity } from '../core/process-identity.js';
import type { RestoreCommand } from './checkpointer.js';
import type { MountOperation, NodeOperation, PlanOperation } from './launch-plan.js';
import type { NamespaceKind } from './namespace-kind.js';
import type { SeccompProfile } from './seccomp/profile.js';

/** Operations that a layer contributes to a plan, by stage. */
export interface PlanPart {
  readonly prepare: readonly PlanOperation[];
  readonly parent: readonly PlanOperation[];
  readonly child: readonly PlanOperation[];
  readonly cleanup: readonly PlanOperation[];
}

/** Who the program runs as. */
export type SpecUser =
  /** Looked up inside the image: `name`, `uid`, `name:group`, '' for root; `groups` are names or numbers. */
  | { readonly kind: 'named'; readonly user: string; readonly groups: readonly string[] }
  | { readonly kind: 'ids'; readonly uid: number; readonly gid: number; readonly groups: readonly number[] };

/** A filter of system calls, assembled, and what it was assembled from. */
export interface SpecFilter {
  /** Of seccomp(2). */
  readonly flags: number;
  /** An array of struct sock_filter. */
  readonly filter: Uint8Array;
  readonly profile: SeccompProfile;
}

/** One process: a container's first, or one that joins it. */
export interface ProcessSpec {
  readonly arguments: readonly string[];
  /** `KEY=value`, each key once. HOME is added from the user database. */
  readonly environment: readonly string[];
  /** Absolute, in the container. */
  readonly workingDirectory: string;
  readonly user: SpecUser;
  /** Masks of capability bits; all of them within `bounding`. */
  readonly capabilities: {
    readonly bounding: bigint;
    readonly effective: bigint;
    readonly inheritable: bigint;
    readonly ambient: bigint;
  };
  readonly noNewPrivileges: boolean;
  readonly seccomp: SpecFilter | undefined;
  readonly resourceLimits: readonly { readonly resource: number; readonly soft: bigint; readonly hard: bigint }[];
  readonly oomScoreAdjust: number | undefined;
  readonly terminal: { readonly columns: number; readonly rows: number } | undefined;
  /** A process 1 of our own beside the program. Default false. */
  readonly init?: boolean;
  /** What AppArmor and SELinux are told, where the host has them. */
  readonly labels?: readonly PlanOperation[];
}

/** What a launcher starts: a container, or a further process of one. */
export type LaunchSpec = ContainerSpec | JoinSpec;

/** Everything about a container that its launch depends on. */
export interface ContainerSpec {
  readonly kind: 'container';
  /** 64 hex digits. */
  readonly id: string;
  readonly root: RootMount;
  readonly readonlyRoot: boolean;
  /** An empty directory of the host: where the root is mounted, in the container's mount namespace only. */
  readonly rootTarget: string;
  readonly namespaces: readonly NamespaceKind[];
  /** Of the user namespace, which must be among {@link namespaces}, and no namespace of the host's be used beside. */
  readonly userMaps?: UserMaps;
  /** Instead of new ones: those of another process, which must not be among {@link namespaces}. Default: none. */
  readonly joined?: readonly { readonly kind: NamespaceKind; readonly target: ProcessIdentity }[];
  /** Of a UTS namespace of its own. */
  readonly hostname: string;
  readonly domainname?: string;
  /** Of the host, for mounts to show: written before anything is mounted, anew at each start. */
  readonly files: readonly HostFile[];
  /** /dev/shm is that of the joined `ipc` namespace's process. */
  readonly sharesMemoryFiles?: boolean;
  /** Mounted in this order; those that show cgroups come last, once the cgroup namespace is there. */
  readonly mounts: readonly MountOperation[];
  readonly cgroupMounts: readonly MountOperation[];
  readonly nodes: readonly NodeOperation[];
  /** Kernel parameters, written in the container's namespaces before anything is read-only. */
  readonly sysctls?: readonly PlanOperation[];
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly cgroup: PlanPart;
  /** Where another plan's stage `prepare` may come to be: it replaces that of {@link cgroup} at a later run by policy. */
  readonly savedCgroup?: string;
  /** Directory of a group whose processes are ended when the first has ended, if the kernel does not do that. */
  readonly killedGroup?: string;
  readonly network: PlanPart;
  readonly process: ProcessSpec;
  /** Instead of the program: the processes of a checkpoint. */
  readonly restored?: RestoredProcesses;
  /** Directories of the host that are made anew before each run, which a restart policy may make many. Default: none. */
  readonly renewed?: readonly string[];
  /** Directories of the host that go with the container's end; with `trash` out of sight first, in the same file system. */
  readonly removeAtEnd: readonly { readonly path: string; readonly trash?: string }[];
}

/** Processes that are made again from files. */
export interface RestoredProcesses {
  /** Made anew: for what the command line writes. */
  readonly directory: string;
  readonly command: RestoreCommand;
  /** See {@link Revive}. */
  readonly protectedSources: readonly string[];
}

/** Which ids of the host those of a user namespace are; ids without a mapping do not exist inside. @see user_namespaces(7) */
export interface UserMaps {
  readonly uids: readonly IdMapping[];
  readonly gids: readonly IdMapping[];
}

/** `size` ids in a row. */
export interface IdMapping {
  readonly containerId: number;
  readonly hostId: number;
  readonly size: number;
}

/** A file that the engine writes for a container. */
export interface HostFile {
  readonly path: string;
  readonly mode: number;
  readonly content: string;
}

/** A process that joins a running container. */
export interface JoinSpec {
  readonly kind: 'join';
  /** Of the container. */
  readonly id: string;
  /** Its first process. */
  readonly target: ProcessIdentity;
  readonly namespaces: readonly NamespaceKind[];
  readonly cgroup: PlanPart;
  readonly process: ProcessSpec;
}

/** A part that contributes nothing. */
export const emptyPart: PlanPart = { prepare: [], parent: [], child: [], cleanup: [] };

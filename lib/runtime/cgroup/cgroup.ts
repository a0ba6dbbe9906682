import type { JoinCgroup, MakeDirectory, PlanOperation, WriteFile } from '../launch-plan.js';
import type { Controller } from './cgroup-host.js';
import type { DeviceRule } from './device-rules.js';
import type { CgroupResources } from './resources.js';

/**
 * The port to control groups: turns limits into operations of a launch plan, and says where counters are read.
 *
 * A container's cgroup is PARENT/tscontainer/ID, PARENT being that of the container, else of the engine, else the root of the
 * hierarchy. Nothing is
 * done here: operations are executed by the shim, counters are read by {@link readCgroupStats}.
 */
export interface CgroupManager {
  readonly kind: 'v1' | 'v2' | 'none';
  /**
   * The operations for one container.
   *
   * @throws EngineError `INVALID_OPTION` for a limit out of range, `CONTROLLER_MISSING` for one that this host cannot
   * enforce: a limit is never left out silently.
   */
  plan(request: CgroupRequest): CgroupPlan;
  /**
   * What gives a running container other limits. A limit that `next` has not is lifted.
   *
   * @throws EngineError like {@link plan}.
   */
  update(request: CgroupUpdate): CgroupUpdatePlan;
}

export interface CgroupUpdate {
  readonly id: string;
  /** As in {@link CgroupRequest}. */
  readonly parent?: string | undefined;
  /** The limits that the container has now. */
  readonly current: CgroupResources;
  /** All limits that it shall have, not only those that change. */
  readonly next: CgroupResources;
}

/** The steps of an update, see {@link updateCgroup}. */
export interface CgroupUpdatePlan {
  /**
   * Makes groups that the container is not in yet: those of v1 controllers that containers enter only when a limit needs
   * them.
   */
  readonly prepare: readonly (MakeDirectory | WriteFile)[];
  /** In an order in which the kernel takes them. */
  readonly writes: readonly WriteFile[];
  /** Directories of the groups that were made: all processes of the container have to enter them. */
  readonly enter: readonly string[];
}

export interface CgroupRequest {
  /** Last part of the path: a container's id. */
  readonly id: string;
  /** Groups above, below the root of each hierarchy. Default: the engine's. */
  readonly parent?: string | undefined;
  readonly resources: CgroupResources;
  /** Devices that may be used, on a host that can restrict them. Default: {@link defaultDeviceRules}. */
  readonly devices?: readonly DeviceRule[] | undefined;
}

export interface CgroupPlan {
  /**
   * For stage `prepare`: makes the directories, sets the limits, and puts the child there before its first own
   * instruction. The joins are last.
   */
  readonly prepare: readonly PlanOperation[];
  /** The joins alone, for another process of a running container. */
  readonly join: readonly JoinCgroup[];
  /** For stage `cleanup`, after the last process has ended. Counters must have been read before. */
  readonly cleanup: readonly PlanOperation[];
  readonly files: CgroupFiles;
  /** What the container's group can hand on to groups below it. None on v1, whose hierarchies hand on by themselves. */
  readonly controllers: readonly Controller[];
  /**
   * Device nodes other than the allowed ones are useless inside. Where this is false, a container must not be able to
   * make or to see device nodes: without CAP_MKNOD, and with `nodev` on what it mounts.
   */
  readonly enforcesDevices: boolean;
  /**
   * Directories above the container's, shared with other containers, deepest first. They are left in place; who removes
   * them uses rmdir(2) once, is content with EBUSY, and excludes concurrent starts with a lock.
   */
  readonly sharedDirectories: readonly string[];
}

/** Where counters and controls of one container are; absent where the controller is. Absolute paths. */
export interface CgroupFiles {
  /** Lines `oom_kill N`: how many processes the kernel has killed for want of memory. */
  readonly oomKills?: string;
  readonly memory?:
    | (MemoryFiles & {
        readonly version: 'v1';
        /** Memory and swap together. */
        readonly withSwap: string;
        /** How often the limit was reached. */
        readonly failures: string;
      })
    | (MemoryFiles & {
        readonly version: 'v2';
        readonly swap: string;
        /** A line `max N`: how often the limit was reached. */
        readonly events: string;
      });
  readonly cpu?:
    | {
        readonly version: 'v1';
        readonly usage: string;
        readonly user: string;
        readonly system: string;
        readonly perCpu: string;
      }
    | { readonly version: 'v2'; readonly stat: string };
  /** Lines on how often, and for how long (v1 in nanoseconds, v2 in microseconds), `cpus` has held processes back. */
  readonly cpuThrottling?: string;
  readonly pidsCurrent?: string;
  readonly pidsLimit?: string;
  /** Block I/O: v2 has all in one file. */
  readonly io?:
    | { readonly version: 'v2'; readonly stat: string }
    | { readonly version: 'v1'; readonly bytes: string; readonly operations: string };
  /** Pids of all processes inside, except of those in groups below. */
  readonly processes?: string;
  readonly freeze?: {
    readonly path: string;
    readonly frozen: string;
    readonly thawed: string;
    /** Holds one of the lines when all processes are frozen, or run again. */
    readonly state: { readonly path: string; readonly frozen: string; readonly thawed: string };
  };
  /** Writing `1` kills every process inside. Only v2, since Linux 5.14. */
  readonly kill?: string;
}

interface MemoryFiles {
  readonly usage: string;
  readonly limit: string;
  readonly peak: string;
  /** `memory.stat`. */
  readonly detail: string;
}

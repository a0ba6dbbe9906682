import type { JoinCgroup, PlanOperation, WriteFile } from '../launch-plan.js';
import type { DeviceRule } from './device-rules.js';
import type { CgroupResources } from './resources.js';

/**
 * The port to control groups: turns limits into operations of a launch plan, and says where counters are read.
 *
 * A container's cgroup is PARENT/tscontainer/ID, PARENT being the root of the hierarchy unless configured. Nothing is
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
   * The writes that give a running container other limits, in an order in which the kernel takes them. A limit that
   * `next` has not is lifted.
   *
   * @throws EngineError like {@link plan}; `CONTROLLER_MISSING` also for a controller that containers join at their start
   * only, and that this one has not joined.
   */
  update(request: CgroupUpdate): readonly WriteFile[];
}

export interface CgroupUpdate {
  readonly id: string;
  /** The limits that the container has now. */
  readonly current: CgroupResources;
  /** All limits that it shall have, not only those that change. */
  readonly next: CgroupResources;
}

export interface CgroupRequest {
  /** Last part of the path: a container's id. */
  readonly id: string;
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
  readonly memoryUsage?: string;
  /** Has the page cache that counts as usage but can be dropped: see `inactiveFileKey`. */
  readonly memoryStat?: string;
  readonly inactiveFileKey?: 'total_inactive_file' | 'inactive_file';
  readonly memoryLimit?: string;
  readonly cpuUsage?: { readonly path: string; readonly format: 'nanoseconds' | 'cpu.stat' };
  /** Lines on how often, and for how long (v1 in nanoseconds, v2 in microseconds), `cpus` has held processes back. */
  readonly cpuThrottling?: string;
  readonly pidsCurrent?: string;
  readonly pidsLimit?: string;
  /** Block I/O: v2 has all in one file. */
  readonly io?:
    | { readonly format: 'io.stat'; readonly path: string }
    | { readonly format: 'blkio'; readonly bytes: string; readonly operations: string };
  /** Pids of all processes inside. */
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

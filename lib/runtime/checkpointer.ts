import type { Abortable } from '../core/abortable.js';

/**
 * The port to what writes the processes of a container to files and makes them again from these.
 *
 * Dumping is done by the checkpointer itself. Restoring is done by a container's supervisor, which must be the parent of what
 * is made: the checkpointer says by which command line, and the launch plan executes that.
 */
export interface Checkpointer {
  /**
   * Finds out whether it can be used on this host.
   *
   * @throws EngineError `CRIU_MISSING`; `CRIU_UNUSABLE` with what it says itself.
   */
  check(options?: Abortable): Promise<void>;
  /**
   * Writes a process and all below it to files. Resolves when they are complete; the processes have then ended, or go on.
   * After a failure they go on.
   *
   * @throws DumpFailure
   */
  dump(request: DumpRequest): Promise<void>;
  /** What makes the processes again. */
  restoreCommand(request: RestoreRequest): RestoreCommand;
  /** Why a command line of {@link restoreCommand} has failed: the first complaint in its log; undefined without one. */
  failureOf(logFile: string): string | undefined;
}

/** Why nothing was dumped, in the words of the program that was to do it. */
export class DumpFailure extends Error {}

interface Common {
  /** An existing directory, mode 0700, for the images. */
  readonly images: string;
  /** What belongs to the world outside the container, see {@link OutsideResources}. */
  readonly outside: OutsideResources;
  /** Connections that are established are part of it. */
  readonly tcpEstablished: boolean;
  /** Locks of files are part of it. */
  readonly fileLocks: boolean;
}

/** What is to be written. */
export interface DumpRequest extends Common, Abortable {
  /** The first process of the container. */
  readonly pid: number;
  readonly leaveRunning: boolean;
}

/** What is to be made again. */
export interface RestoreRequest extends Common {
  /** Where the container's root is mounted. */
  readonly root: string;
  /** Where what is mounted from outside comes from, by its target: a path of the host. */
  readonly sources: ReadonlyMap<string, string>;
  /** A directory for the log and `pidFile`. */
  readonly directory: string;
}

/** What is not the container's own: it is noted by name only, and given anew when it is restored. */
export interface OutsideResources {
  /** Targets, in the container, of what is mounted from outside. */
  readonly mounts: readonly string[];
  /** Number of its network namespace; undefined when it has that of the host. */
  readonly network?: number;
  /** What its standard streams are, by descriptor: `pipe:[NUMBER]`, or `file[MOUNT:INODE]` in hexadecimal digits. */
  readonly streams: readonly { readonly fd: 0 | 1 | 2; readonly name: string }[];
}

/** A command line, its program by absolute path. When it has ended with 0, `pidFile` has the first process. */
export interface RestoreCommand {
  readonly arguments: readonly string[];
  readonly environment: readonly string[];
  readonly pidFile: string;
  readonly logFile: string;
}

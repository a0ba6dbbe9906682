import type { Readable, Writable } from 'node:stream';
import type { Abortable } from '../core/abortable.js';
import type { ExitStatus } from '../core/exit-status.js';
import type { ProcessIdentity } from '../core/process-identity.js';
import type { Attachment, AttachmentRequest } from './attachment.js';
import type { LaunchSpec } from './container-spec.js';
import type { LogTarget } from './log-files.js';
import type { ProcessJournal } from './process-journal.js';
import type { RestartRequest } from './restart-policy.js';

/** What is started, and where its traces go. */
export interface LaunchRequest extends LaunchOptions {
  readonly spec: LaunchSpec;
}

/** Where the traces of a process go, and how long it lives. */
export interface LaunchOptions extends Abortable {
  /**
   * `pipe` gives the caller the writing end; `null` is /dev/null. With served output: `attached` is open for input of
   * attachers, `attached-once` only until the first of them has ended its input or left (a terminal stays open).
   */
  readonly stdin: 'pipe' | 'null' | 'attached' | 'attached-once';
  /** `pipe` gives the caller the reading ends; else the supervisor has them. */
  readonly output: 'pipe' | ServedOutput;
  /** The process has a terminal as stdin and stdout, there is no stderr. With pipes they are relayed. */
  readonly terminal: boolean;
  /** `owner`: killed by its supervisor as soon as this process ends, however it ends. */
  readonly lifetime: 'owner' | 'detached';
  /** Where to record pid, start ticks, supervisor's pid, start time; for other processes. */
  readonly processFile?: string;
  /** Where to record the exit. */
  readonly exitFile?: string;
  /** Syncs the exit record to disk. */
  readonly durable: boolean;
  /** A file with a line `oom_kill N`: memory.oom_control or memory.events of the container's cgroup. */
  readonly oomFile?: string;
  /** The supervisor starts the process again, whoever is alive; only with served output. Default: it does not. */
  readonly restart?: RestartRequest | undefined;
  /** Where each start and each end of the process is told to everybody. Default: nowhere. */
  readonly journal?: ProcessJournal | undefined;
}

/** Output that a supervisor takes. A slow disk or attacher never loses any of it, a full disk loses what is logged. */
export interface ServedOutput {
  /** Where it is kept. Default: nowhere. */
  readonly log?: LogTarget | undefined;
  /**
   * A path where {@link Launcher.attachment} reaches the process, in a directory that is closed to other users. What is
   * there is replaced. Default: nobody can attach.
   */
  readonly socket?: string | undefined;
  /** Nothing is taken before {@link LaunchedProcess.proceed}: attachers get the first byte too. Default false. */
  readonly hold?: boolean | undefined;
}

/** A process that was started, and its supervisor. */
export interface LaunchedProcess {
  /** Of its latest run. */
  readonly identity: ProcessIdentity;
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /** How it ended, for the last time; all of its output has been written by then. Rejects with `SHIM_FAILED` if that can never be known. */
  readonly exited: Promise<ExitStatus>;
  /**
   * The supervisor has cleaned up; files that are to go may still be going, out of sight. Rejects with `LAUNCH_FAILED` when
   * the clean-up was not complete, with `SHIM_FAILED` when there was none.
   */
  readonly released: Promise<void>;
  /** Keeps this Node process alive until the returned function is called: by itself no container does. */
  keepAlive(): () => void;
  /** Sends a signal by number; false when the process has ended. */
  signal(number: number): boolean;
  /** Tells the terminal its new size. */
  resize(columns: number, rows: number): void;
  /** Ends what `hold` began. */
  proceed(): void;
  /** Lets an `owner` process outlive this one. */
  release(): void;
}

/**
 * The port to whatever starts processes in containers.
 *
 * `launch` resolves when the program itself runs (its execve has succeeded). If anything before that fails, it rejects
 * and nothing is left: `PROGRAM_NOT_FOUND`, `PROGRAM_NOT_EXECUTABLE`, `NO_SUCH_USER`, `PORT_TAKEN`, and `LAUNCH_FAILED`
 * with stage, operation, errno and operand for all else. After an abort the process is killed.
 */
export interface Launcher {
  /** Starts a process; see above for how it fails. */
  launch(request: LaunchRequest): Promise<LaunchedProcess>;
  /** Streams of a process that somebody has launched with a `socket`, this launcher or that of another program. */
  attachment(request: AttachmentRequest): Attachment;
  /**
   * Gives back what the launcher holds, and waits for supervisors that have nothing left but to end; running processes go
   * on. The launcher can be used again.
   */
  close(): Promise<void>;
}

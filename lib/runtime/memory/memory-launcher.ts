import { writeFileSync } from 'node:fs';
import { EngineError } from '../../core/errors/engine-error.js';
import type { ProcessIdentity } from '../../core/process-identity.js';
import { startTicksOf } from '../../util/start-ticks.js';
import type { Attachment, AttachmentRequest } from '../attachment.js';
import { buildPlan } from '../build-plan.js';
import type { LaunchPlan, PlanOperation, PlanStage } from '../launch-plan.js';
import type { LaunchedProcess, Launcher, LaunchRequest } from '../launcher.js';
import { MemoryAttachment } from './memory-attachment.js';
import { MemoryProcess } from './memory-process.js';
import type { MemoryProgram } from './memory-program.js';
import type { MemoryService } from './memory-service.js';

/** Thrown by {@link MemoryLauncherOptions.execute}: the operation fails as a system call would. */
export interface OperationFailure {
  readonly syscall: string;
  /** Name, like `ENOENT`. */
  readonly errno: string;
  readonly operand: string;
}

/** What a {@link MemoryLauncher} can launch. */
export interface MemoryLauncherOptions {
  /** By the first word of the command. `'not executable'` is a file without the right to execute it. */
  readonly programs?: Readonly<Record<string, MemoryProgram | 'not executable'>>;
  /** Users that exist, beside numbers and root. Default: every user. */
  readonly users?: readonly string[];
  /**
   * Stands for the execution of one operation; what it returns is how the operation fails. Default: all succeed and do
   * nothing.
   */
  readonly execute?: (operation: PlanOperation, stage: PlanStage) => OperationFailure | undefined;
  /**
   * The host process that stands for every launched one in records of processes. Default: this process, so that a
   * container counts as running while this process lives.
   */
  readonly identity?: ProcessIdentity;
}

/** What a {@link MemoryLauncher} was asked, and the plan that the real one would have executed. */
export interface MemoryLaunch extends LaunchRequest {
  readonly plan: LaunchPlan;
}

/**
 * Launches functions instead of programs: the fake of {@link Launcher}. It writes the same files as the real one, keeps
 * what it was asked in {@link launches}, and touches nothing else of the host.
 *
 * Signals reach a process through its {@link LaunchedProcess} alone: its pid is not its own.
 */
export class MemoryLauncher implements Launcher {
  readonly launches: MemoryLaunch[] = [];
  readonly programs: Map<string, MemoryProgram | 'not executable'>;
  readonly #options: MemoryLauncherOptions;
  readonly #services = new Map<string, MemoryService>();
  #closed = false;

  constructor(options: MemoryLauncherOptions = {}) {
    this.#options = options;
    this.programs = new Map(Object.entries(options.programs ?? {}));
  }

  /** True after {@link close}, until the next launch. */
  get closed(): boolean {
    return this.#closed;
  }

  async launch(request: LaunchRequest): Promise<LaunchedProcess> {
    request.signal?.throwIfAborted();
    this.#closed = false;
    const plan = buildPlan(request.spec);
    const launch = { ...request, plan };
    this.launches.push(launch);
    await new Promise((resolve) => setImmediate(resolve)); // no launch is done in the turn that asks for it
    try {
      request.signal?.throwIfAborted();
      for (const stage of ['prepare', 'parent', 'child'] as const) this.#execute(plan, stage);
      const program = this.#programOf(plan);
      const process = new MemoryProcess(launch, program, this.#identity(), () => this.#cleanUp(plan));
      this.#serve(request, process);
      return process;
    } catch (error) {
      this.#cleanUp(plan);
      throw error;
    }
  }

  attachment(request: AttachmentRequest): Attachment {
    return new MemoryAttachment(request, (socket) => this.#services.get(socket));
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  /** Where attachers find it until it has ended. */
  #serve(request: LaunchRequest, { service, exited }: MemoryProcess): void {
    const socket = request.output === 'pipe' ? undefined : request.output.socket;
    if (socket === undefined || service === undefined) return;
    this.#services.set(socket, service);
    void exited.then(() => {
      if (this.#services.get(socket) === service) this.#services.delete(socket);
    });
  }

  #identity(): ProcessIdentity {
    return this.#options.identity ?? { pid: process.pid, startTicks: startTicksOf(process.pid) ?? 0n };
  }

  #programOf(plan: LaunchPlan): MemoryProgram {
    const execute = plan.child.at(-1);
    const name = execute?.op === 'execute' ? (execute.arguments[0] ?? '') : '';
    const program = this.programs.get(name);
    if (program === undefined) throw new EngineError('PROGRAM_NOT_FOUND', { program: name, exitCode: 127 });
    if (program !== 'not executable') return program;
    throw new EngineError('PROGRAM_NOT_EXECUTABLE', { program: name, errno: 'EACCES', exitCode: 126 });
  }

  #execute(plan: LaunchPlan, stage: PlanStage): void {
    for (const operation of plan[stage]) {
      this.#checkUser(operation);
      const failure = this.#options.execute?.(operation, stage);
      if (failure !== undefined) throw launchFailed(stage, operation, failure);
      if (operation.op === 'make-file') writeFileSync(operation.path, operation.data, { mode: operation.mode });
    }
  }

  /** Every operation, whatever fails; the first failure counts. */
  #cleanUp(plan: LaunchPlan): EngineError | undefined {
    const failures = plan.cleanup.flatMap((operation) => {
      const failure = this.#options.execute?.(operation, 'cleanup');
      return failure === undefined ? [] : [launchFailed('cleanup', operation, failure)];
    });
    return failures[0];
  }

  #checkUser(operation: PlanOperation): void {
    const { users } = this.#options;
    if (operation.op !== 'named-identity' || users === undefined) return;
    const name = operation.user.split(':')[0] ?? '';
    if (name === '' || name === 'root' || /^\d+$/.test(name) || users.includes(name)) return;
    throw new EngineError('NO_SUCH_USER', { user: operation.user, reason: `no user '${name}'` });
  }
}

function launchFailed(stage: PlanStage, operation: PlanOperation, failure: OperationFailure): EngineError {
  const { syscall, errno, operand } = failure;
  return new EngineError('LAUNCH_FAILED', {
    stage,
    operation: operation.op === syscall ? syscall : `${operation.op}: ${syscall}`,
    errno,
    operand,
    hint: '',
  });
}

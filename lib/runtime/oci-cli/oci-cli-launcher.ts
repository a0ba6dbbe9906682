import { rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';
import { hasErrno } from '../../util/errno.js';
import type { Attachment, AttachmentRequest } from '../attachment.js';
import type { LaunchSpec } from '../container-spec.js';
import type { LaunchedProcess, Launcher, LaunchRequest } from '../launcher.js';
import type { ShimLauncher } from '../shim/shim-launcher.js';
import { buildDelegatedJoin, buildDelegatedPlan, cgroupsPathOf, type ExternalRuntime } from './build-delegated-plan.js';

/**
 * Has another OCI runtime (`runc`, `crun`, `runsc`) make the containers, through its command line. The supervisors are those
 * of {@link ShimLauncher}: output, exits, restarts and clean-up are the same.
 *
 * Not for a process 1 of our own (`init`), nor for namespaces of other containers: `INVALID_OPTION`.
 *
 * @see OCI runtime-spec, runtime.md; runc's command line, which the others follow
 */
export class OciCliLauncher implements Launcher {
  /** Groups above those of containers, below the roots of the hierarchies. */
  readonly #parents = new Set<string>();

  constructor(
    private readonly shim: ShimLauncher,
    private readonly runtime: ExternalRuntime,
  ) {}

  async launch(request: LaunchRequest): Promise<LaunchedProcess> {
    const { spec } = request;
    const path = spec.kind === 'container' ? cgroupsPathOf(spec.cgroup, this.runtime.cgroupRoots) : undefined;
    if (path !== undefined) this.#parents.add(dirname(path));
    const plan =
      spec.kind === 'container' ? buildDelegatedPlan(spec, this.runtime) : buildDelegatedJoin(spec, this.runtime);
    try {
      return await this.shim.execute(plan, request);
    } catch (error) {
      throw runtimeError(error, spec);
    }
  }

  attachment(request: AttachmentRequest): Attachment {
    return this.shim.attachment(request);
  }

  async close(): Promise<void> {
    await this.shim.close();
    for (const root of this.runtime.cgroupRoots) for (const parent of this.#parents) removeUnused(`${root}${parent}`);
    this.#parents.clear();
  }
}

/** The runtime has made it, also where the engine has no groups. */
function removeUnused(group: string): void {
  try {
    rmdirSync(group);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'EBUSY', 'ENOTEMPTY')) throw error;
  }
}

const MISSING = /executable file .*not found|no such file or directory|not found in \$PATH/i;
const NOT_EXECUTABLE = /permission denied|is a directory|exec format error/i;

/** Runtimes say in words only that it is the program that was at fault. */
function runtimeError(error: unknown, { process }: LaunchSpec): unknown {
  if (!EngineError.is(error, 'LAUNCH_FAILED') || error.data.operation !== 'delegate: runtime') return error;
  const [program = ''] = process.arguments;
  const { operand } = error.data;
  if (!operand.includes(program) && !/executable|\bexec\b/.test(operand)) return error;
  if (MISSING.test(operand)) return new EngineError('PROGRAM_NOT_FOUND', { program, exitCode: 127 }, { cause: error });
  if (!NOT_EXECUTABLE.test(operand)) return error;
  return new EngineError('PROGRAM_NOT_EXECUTABLE', { program, errno: 'EACCES', exitCode: 126 }, { cause: error });
}

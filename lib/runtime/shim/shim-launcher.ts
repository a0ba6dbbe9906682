import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { EngineError } from '../../core/errors/engine-error.js';
import type { Kernel } from '../../kernel/kernel.js';
import { UndoStack } from '../../util/undo-stack.js';
import { encodePlan } from '../encode-plan.js';
import type { LaunchedProcess, Launcher, LaunchRequest } from '../launcher.js';
import { ShimProcess } from './shim-process.js';
import { openStdio } from './stdio.js';

const FLAG_OWNED = 1;
const FLAG_DURABLE = 2;

/** Starts processes through `tscontainer-shim`, one supervisor each. */
export class ShimLauncher implements Launcher {
  /** The program as a sealed copy in memory: no container that gets hold of it can change the file (CVE-2019-5736). */
  #sealedFd: number | undefined;

  constructor(
    private readonly kernel: Kernel,
    /** Where the shim may be; the first that exists is taken. */
    private readonly searchedPaths: readonly string[],
  ) {}

  async launch(request: LaunchRequest): Promise<LaunchedProcess> {
    request.signal?.throwIfAborted();
    const plan = encodePlan(request.plan);
    const program = this.#program();
    const undo = new UndoStack();
    const stdio = openStdio(this.kernel, request, undo);
    try {
      const child = spawn(program, ['supervise'], {
        argv0: 'tscontainer-shim',
        env: {},
        stdio: [...stdio.childSide, 'pipe'],
      });
      stdio.closeChildSide();
      await spawned(child, program);
      const shim = new ShimProcess(child, child.stdio[3] as Socket, stdio, request.plan);
      undo.defer(() => shim.abandon());
      shim.channel.launch(flagsOf(request), filesOf(request), plan);
      await shim.started(request.signal);
      undo.commit();
      return shim;
    } catch (error) {
      stdio.closeChildSide();
      return undo.fail(error);
    }
  }

  close(): void {
    if (this.#sealedFd !== undefined) this.kernel.close(this.#sealedFd);
    this.#sealedFd = undefined;
  }

  #program(): string {
    if (this.#sealedFd === undefined) {
      const path = this.searchedPaths.find((each) => existsSync(each));
      if (path === undefined) {
        throw new EngineError('SHIM_MISSING', {
          searched: this.searchedPaths,
          hint: 'install a C compiler and run `npm run build:native` in the package',
        });
      }
      this.#sealedFd = this.kernel.sealedCopy('tscontainer-shim', readFileSync(path));
    }
    return `/proc/self/fd/${this.#sealedFd}`;
  }
}

const flagsOf = (request: LaunchRequest): number =>
  (request.lifetime === 'owner' ? FLAG_OWNED : 0) | (request.durable ? FLAG_DURABLE : 0);

const filesOf = (request: LaunchRequest) => ({
  process: request.processFile ?? '',
  exit: request.exitFile ?? '',
  log: request.output === 'pipe' ? '' : request.output.logFile,
  oom: request.oomFile ?? '',
});

/** Node reports a failed fork or exec as an event of the child, in the same turn of the loop or the next. */
async function spawned(child: ChildProcess, program: string): Promise<void> {
  if (child.pid !== undefined) {
    child.on('error', () => undefined); // e.g. a signal that could not be delivered: the channel says what matters
    return;
  }
  const cause = await new Promise<Error>((resolve) => child.once('error', resolve));
  throw new EngineError('SHIM_FAILED', { what: `${program} could not be started: ${cause.message}` }, { cause });
}

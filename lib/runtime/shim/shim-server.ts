import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { EngineError } from '../../core/errors/engine-error.js';
import type { Kernel } from '../../kernel/kernel.js';

/** One idle shim that makes supervisors on request. */
interface Server {
  readonly child: ChildProcess;
  /** Our end of its socket: when it is closed, by us or by our death, the server ends. */
  readonly socketFd: number;
}

/**
 * Makes supervisors by way of one idle shim: forking a program as large as Node for each container would take longer
 * than starting the container. The shim is executed from a sealed copy in memory, so that no container that gets hold of
 * it can change the file (CVE-2019-5736).
 */
export class ShimServer {
  #server: Promise<Server> | undefined;

  constructor(
    private readonly kernel: Kernel,
    /** Where the shim may be; the first that exists is taken. */
    private readonly searchedPaths: readonly string[],
  ) {}

  /**
   * Makes a supervisor with these descriptors as stdin, stdout, stderr and control channel. It has copies of them.
   *
   * @throws EngineError `SHIM_MISSING`, `SHIM_FAILED`.
   */
  async makeSupervisor(descriptors: readonly [number, number, number, number]): Promise<void> {
    const server = await this.#running();
    if (this.kernel.sendDescriptors(server.socketFd, descriptors)) return;
    // Somebody has killed the server. The next one is as good.
    await this.close();
    if (!this.kernel.sendDescriptors((await this.#running()).socketFd, descriptors)) {
      throw new EngineError('SHIM_FAILED', { what: 'it ends as soon as it is started' });
    }
  }

  /** Ends the server; supervisors that it has made go on. */
  async close(): Promise<void> {
    const starting = this.#server;
    this.#server = undefined;
    const server = await starting?.catch(() => undefined);
    if (server === undefined) return;
    this.kernel.close(server.socketFd);
    if (server.child.exitCode !== null || server.child.signalCode !== null) return;
    server.child.ref();
    await once(server.child, 'exit');
  }

  #running(): Promise<Server> {
    this.#server ??= this.#start().catch((error: unknown) => {
      this.#server = undefined;
      throw error;
    });
    return this.#server;
  }

  async #start(): Promise<Server> {
    const path = this.searchedPaths.find((each) => existsSync(each));
    if (path === undefined) {
      throw new EngineError('SHIM_MISSING', {
        searched: this.searchedPaths,
        hint: 'install a C compiler and run `npm run build:native` in the package',
      });
    }
    const programFd = this.kernel.sealedCopy('tscontainer-shim', readFileSync(path));
    const [socketFd, theirFd] = this.kernel.socketPair('packets');
    try {
      const child = spawn(`/proc/self/fd/${programFd}`, ['serve'], {
        argv0: 'tscontainer-shim',
        cwd: '/', // it outlives nothing, but it must not hold a directory of the caller either
        env: {},
        stdio: ['ignore', 'ignore', 'ignore', theirFd],
      });
      await spawned(child, path);
      child.unref();
      return { child, socketFd };
    } catch (error) {
      this.kernel.close(socketFd);
      throw error;
    } finally {
      this.kernel.close(theirFd);
      this.kernel.close(programFd);
    }
  }
}

/** Node reports a failed fork or exec as an event of the child. */
async function spawned(child: ChildProcess, path: string): Promise<void> {
  try {
    await once(child, 'spawn');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError('SHIM_FAILED', { what: `${path} could not be started: ${reason}` }, { cause });
  }
  child.on('error', () => undefined); // a later one could only be about a signal, and none is sent
}

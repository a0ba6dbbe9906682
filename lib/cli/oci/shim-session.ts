import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { EngineError } from '../../core/errors/engine-error.js';
import type { ExitStatus } from '../../core/exit-status.js';
import type { ProcessIdentity } from '../../core/process-identity.js';
import { shimPaths } from '../../engine/shim-paths.js';
import { encodePlan } from '../../runtime/encode-plan.js';
import type { LaunchPlan } from '../../runtime/launch-plan.js';
import { ControlChannel, noFiles, type ShimMessage } from '../../runtime/shim/control-channel.js';
import { launchError } from '../../runtime/shim/launch-error.js';
import { Deferred } from '../../util/deferred.js';

/** A shim that this command has started, and the process that it has made. */
export interface ShimSession {
  readonly identity: ProcessIdentity;
  /** Rejects when the shim is killed. */
  readonly exited: Promise<ExitStatus>;
  signal(number: number): void;
  resize(columns: number, rows: number): void;
  /** Lets this command end while the shim goes on. */
  leave(): void;
}

/**
 * Executes a plan. The shim is started by its file, since a command that starts one process needs no idle shim: its stdin,
 * stdout and stderr are the caller's own, and `descriptors` follow as 4, 5, …
 *
 * @throws EngineError as a `Launcher` does.
 */
export async function startShim(plan: LaunchPlan, descriptors: readonly number[]): Promise<ShimSession> {
  const path = shimPaths().find((each) => existsSync(each));
  if (path === undefined) {
    const hint = 'install a C compiler and run `npm run build:native` in the package';
    throw new EngineError('SHIM_MISSING', { searched: shimPaths(), hint });
  }
  const encoded = encodePlan(plan);
  const child = spawn(path, ['detached'], {
    argv0: 'tscontainer-shim',
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['inherit', 'inherit', 'inherit', 'pipe', ...descriptors],
  });
  try {
    await once(child, 'spawn');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError('SHIM_FAILED', { what: `${path} could not be started: ${reason}` }, { cause });
  }
  const started = new Deferred<ProcessIdentity>();
  const exited = new Deferred<ExitStatus>();
  const take = (message: ShimMessage): void => {
    if (message.type === 'started') started.resolve(message.identity);
    else if (message.type === 'failed') started.reject(launchError(plan, message.failure));
    else if (message.type === 'exited') exited.resolve(message.status);
  };
  const socket = child.stdio[3] as Socket;
  const channel = new ControlChannel(socket, take, (error) => {
    const reason = error ?? new EngineError('SHIM_FAILED', { what: 'it ended before the process that it supervised' });
    started.reject(reason);
    exited.reject(reason);
  });
  channel.launch(0, noFiles, encoded);
  const identity = await started.promise;
  return {
    identity,
    exited: exited.promise,
    signal: (number) => channel.signal(number),
    resize: (columns, rows) => channel.resize(columns, rows),
    leave: () => {
      child.unref();
      socket.destroy();
    },
  };
}

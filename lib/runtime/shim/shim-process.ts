import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { EngineError } from '../../core/errors/engine-error.js';
import type { ExitStatus } from '../../core/exit-status.js';
import type { ProcessIdentity } from '../../core/process-identity.js';
import { orAbort } from '../../util/abort.js';
import { Deferred } from '../../util/deferred.js';
import type { LaunchPlan } from '../launch-plan.js';
import type { LaunchedProcess } from '../launcher.js';
import type { RestartRequest } from '../restart-policy.js';
import { ControlChannel, type ShimMessage } from './control-channel.js';
import { launchError } from './launch-error.js';
import type { ShimStdio } from './stdio.js';

const SIGKILL = 9;

/** One shim and the process that it supervises, as seen through their channel. */
export class ShimProcess implements LaunchedProcess {
  readonly channel: ControlChannel;
  readonly #started = new Deferred<ProcessIdentity>();
  readonly #exited = new Deferred<ExitStatus>();
  readonly #released = new Deferred<void>();
  readonly #ended = new Deferred<void>();
  #identity: ProcessIdentity | undefined;
  /** The shim has cleaned up, and will end. */
  #hasCleaned = false;
  #holders = 0;

  constructor(
    private readonly socket: Socket,
    private readonly stdio: ShimStdio,
    private readonly plan: LaunchPlan,
    private readonly restart: RestartRequest | undefined,
    /** Called when the shim has ended, with streams that something in the container still holds. */
    private readonly onEnd: (process: ShimProcess, unsettled: ShimStdio | undefined) => void,
  ) {
    this.channel = new ControlChannel(
      socket,
      (message) => this.#take(message),
      (error) => this.#channelEnded(error),
    );
  }

  get stdin(): Writable | undefined {
    return this.stdio.stdin;
  }

  get stdout(): Readable | undefined {
    return this.stdio.stdout;
  }

  get stderr(): Readable | undefined {
    return this.stdio.stderr;
  }

  get identity(): ProcessIdentity {
    if (this.#identity === undefined)
      throw new EngineError('INTERNAL', { what: 'identity of a process not yet started' });
    return this.#identity;
  }

  /** Resolves when the program runs; rejects with why it does not. */
  async started(signal: AbortSignal | undefined): Promise<void> {
    this.#identity = await orAbort(this.#started.promise, signal);
    this.#letGo();
  }

  get exited(): Promise<ExitStatus> {
    return this.#exited.promise;
  }

  get released(): Promise<void> {
    return this.#released.promise;
  }

  /** Resolves when the shim has ended, if all that it still does is that; at once while it has a process. */
  async leaving(): Promise<void> {
    if (!this.#hasCleaned || this.#ended.settled) return;
    this.socket.ref();
    await this.#ended.promise;
  }

  keepAlive(): () => void {
    this.#holders += 1;
    if (!this.socket.destroyed) this.socket.ref();
    let held = true;
    return () => {
      if (held) this.#holders -= 1;
      held = false;
      if (this.#holders === 0) this.#letGo();
    };
  }

  signal(number: number): boolean {
    if (this.#exited.settled) return false;
    this.channel.signal(number);
    return true;
  }

  resize(columns: number, rows: number): void {
    this.channel.resize(columns, rows);
  }

  proceed(): void {
    this.channel.proceed();
  }

  release(): void {
    this.channel.release();
  }

  /** After a failed or aborted start: the shim kills what it has started, cleans up and ends. */
  async abandon(): Promise<void> {
    this.channel.signal(SIGKILL); // a detached one would live on without its owner
    this.channel.end();
    await this.#released.promise;
  }

  #take(message: ShimMessage): void {
    if (message.type === 'started') this.#takeStart(message.identity);
    else if (message.type === 'restarting') this.restart?.onExit?.(message.status, message.delayMs);
    else if (message.type === 'exited') this.#exited.resolve(message.status);
    else if (message.type === 'failed') {
      this.#started.reject(launchError(this.plan, message.failure));
      this.#cleaned(undefined);
    } else this.#cleaned(message.failure && launchError(this.plan, message.failure));
  }

  #takeStart(identity: ProcessIdentity): void {
    if (!this.#started.settled) {
      this.#started.resolve(identity);
      return;
    }
    this.#identity = identity;
    this.restart?.onStart?.(identity);
  }

  #cleaned(failure: EngineError | undefined): void {
    this.#hasCleaned = true;
    if (failure === undefined) this.#released.resolve();
    else this.#released.reject(failure);
  }

  /** A shim ends its channel only by ending; before "exited" that means that somebody has killed it. */
  #channelEnded(error: EngineError | undefined): void {
    const reason = error ?? new EngineError('SHIM_FAILED', { what: 'it ended before the process that it supervised' });
    this.#started.reject(reason);
    this.#exited.reject(reason);
    this.#released.reject(reason);
    this.#ended.resolve();
    const isUnsettled = this.#identity !== undefined && !this.stdio.settle();
    this.onEnd(this, isUnsettled ? this.stdio : undefined);
  }

  #letGo(): void {
    this.socket.unref();
  }
}

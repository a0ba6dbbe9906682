import { Worker } from 'node:worker_threads';
import { EngineError } from '../core/errors/engine-error.js';
import { Deferred } from '../util/deferred.js';
import type { LayerSource } from './layer-store.js';
import type { LayerShimOptions } from './shim/layer-shim.js';
import type { ShimReport } from './shim/shim-report.js';
import type { UnpackLayerOptions } from './unpack-layer.js';
import type { About, UnpackAnswer, UnpackFailure, UnpackRequest, UnpackTask } from './unpack-worker.js';

/** Pieces of a stored layer that are on their way to the worker at once. */
const WINDOW = 8;

/** Short-lived garbage is collected soon: most of it are chunks, which would add up. */
const YOUNG_GENERATION_MB = 2;

/**
 * Unpacks layers in a worker thread: decompressing, hashing and the garbage that they make never hold up the program
 * that uses the library. The thread is there while there are layers to unpack: starting one takes as much processor time
 * as a layer of some megabytes.
 */
export class UnpackThread {
  readonly #jobs = new Map<number, UnpackJob>();
  #worker: Worker | undefined;
  #lastJob = 0;

  /** Like `unpackLayer`, with the same errors. */
  async unpack(
    shim: LayerShimOptions,
    source: LayerSource,
    directory: string,
    { signal, ...options }: UnpackLayerOptions,
  ): Promise<ShimReport> {
    signal?.throwIfAborted();
    this.#worker ??= this.#start();
    this.#lastJob += 1;
    const job = new UnpackJob(this.#worker, this.#lastJob);
    this.#jobs.set(job.id, job);
    const onAbort = (): void => job.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      void job.feed(source, { shim, diffId: source.diffId, directory, options });
      return await job.report.catch((error: unknown) => {
        signal?.throwIfAborted();
        throw job.sourceFailure?.reason ?? error;
      });
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#jobs.delete(job.id);
      if (this.#jobs.size === 0) await this.#stop();
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL('./unpack-worker.js', import.meta.url), {
      name: 'tscontainer unpack',
      execArgv: [], // flags of the program, like --input-type, are not for this file
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    const fail = (error: Error): void => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const job of this.#jobs.values()) if (job.worker === worker) job.fail(error);
    };
    worker.on('message', (answer: About<UnpackAnswer>) => this.#jobs.get(answer.job)?.take(answer));
    worker.once('error', fail);
    worker.once('exit', () => fail(new EngineError('INTERNAL', { what: 'the unpacking thread has ended early' })));
    return worker;
  }

  async #stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

/** One layer, and what the worker says about it. */
class UnpackJob {
  /** Why the layer could not be read, if that is so. */
  sourceFailure: { readonly reason: unknown } | undefined;
  #started = false;
  readonly #report = new Deferred<ShimReport>();
  #credit = WINDOW;
  #wake: () => void = () => undefined;

  constructor(
    readonly worker: Worker,
    readonly id: number,
  ) {}

  get report(): Promise<ShimReport> {
    return this.#report.promise;
  }

  /**
   * Has the layer unpacked: from its file, or handed over as fast as it is wanted. It may go on waiting for its source
   * when the job is over.
   */
  async feed(source: LayerSource, task: Omit<UnpackTask, 'file'>): Promise<void> {
    try {
      const file = await source.file?.();
      if (this.#report.settled) return;
      this.#started = true;
      this.#send({ start: { ...task, file } });
      if (file === undefined) await this.#sendChunks(source);
    } catch (reason) {
      this.sourceFailure = { reason };
      this.abort(reason);
    }
  }

  /** The worker, where it knows of the layer, answers when everything has ended. */
  abort(reason: unknown): void {
    if (this.#started) this.#send({ abort: true });
    else this.fail(reason);
  }

  take(answer: UnpackAnswer): void {
    if ('wanted' in answer) this.#credit += 1;
    else if ('report' in answer) this.#report.resolve(answer.report);
    else this.#report.reject(toError(answer.failure));
    this.#wake();
  }

  fail(error: unknown): void {
    this.#report.reject(error);
    this.#wake();
  }

  async #sendChunks(source: LayerSource): Promise<void> {
    for await (const chunk of source.open()) {
      if (!(await this.#wants())) return;
      const own = new Uint8Array(chunk); // slice() of a Buffer copies nothing
      this.#send({ chunk: own }, [own.buffer as ArrayBuffer]);
    }
    this.#send({ end: true });
  }

  #send(request: UnpackRequest, transfer: ArrayBuffer[] = []): void {
    this.worker.postMessage({ job: this.id, ...request } satisfies About<UnpackRequest>, transfer);
  }

  /** Waits until one more piece is wanted; false when the job is over. */
  async #wants(): Promise<boolean> {
    while (this.#credit === 0 && !this.#report.settled) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#credit -= 1;
    return !this.#report.settled;
  }
}

function toError(failure: UnpackFailure): EngineError {
  return typeof failure === 'string'
    ? new EngineError('INTERNAL', { what: failure })
    : new EngineError(failure.code, failure.data);
}

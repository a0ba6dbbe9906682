import { Worker } from 'node:worker_threads';
import { EngineError } from '../core/errors/engine-error.js';
import { Deferred } from '../util/deferred.js';
import type { LayerSource } from './layer-store.js';
import type { LayerShimOptions } from './shim/layer-shim.js';
import type { ShimReport } from './shim/shim-report.js';
import type { UnpackLayerOptions } from './unpack-layer.js';
import type { UnpackAnswer, UnpackFailure, UnpackRequest } from './unpack-worker.js';

/** Pieces of the stored layer that are on their way to the worker at once. */
const WINDOW = 8;

/**
 * {@link unpackLayer} in a worker thread: decompressing, hashing and the garbage that they make never hold up the
 * program that uses the library. Same errors.
 */
export async function unpackInWorker(
  shim: LayerShimOptions,
  source: LayerSource,
  directory: string,
  options: UnpackLayerOptions,
): Promise<ShimReport> {
  const { signal, ...rest } = options;
  signal?.throwIfAborted();
  const worker = new Worker(new URL('./unpack-worker.js', import.meta.url), {
    name: 'tscontainer unpack',
    execArgv: [], // flags of the program, like --input-type, are not for this file
  });
  const job = new UnpackJob(worker);
  const onAbort = (): void => job.send({ abort: true });
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    job.send({ start: { shim, diffId: source.diffId, directory, options: rest } });
    void feed(job, source);
    return await job.report.catch((error: unknown) => {
      signal?.throwIfAborted();
      throw job.sourceFailure?.reason ?? error;
    });
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await worker.terminate();
  }
}

/** Hands the layer over as fast as it is wanted. It may go on waiting for its source when the job is over. */
async function feed(job: UnpackJob, source: LayerSource): Promise<void> {
  try {
    for await (const chunk of source.open()) {
      if (!(await job.wants())) return;
      const isWhole = chunk.byteLength === chunk.buffer.byteLength;
      const own = source.handsOverChunks === true && isWhole ? chunk : new Uint8Array(chunk); // slice() of a Buffer copies nothing
      job.send({ chunk: own }, [own.buffer as ArrayBuffer]);
    }
    job.send({ end: true });
  } catch (reason) {
    job.sourceFailure = { reason };
    job.send({ abort: true });
  }
}

/** One worker and what it says. */
class UnpackJob {
  /** Why the layer could not be read, if that is so. */
  sourceFailure: { readonly reason: unknown } | undefined;
  readonly #report = new Deferred<ShimReport>();
  #credit = WINDOW;
  #wake: () => void = () => undefined;

  constructor(private readonly worker: Worker) {
    worker.on('message', (answer: UnpackAnswer) => this.#take(answer));
    worker.once('error', (error) => this.#fail(error));
    worker.once('exit', () =>
      this.#fail(new EngineError('INTERNAL', { what: 'the unpacking thread has ended early' })),
    );
  }

  get report(): Promise<ShimReport> {
    return this.#report.promise;
  }

  send(request: UnpackRequest, transfer: ArrayBuffer[] = []): void {
    this.worker.postMessage(request, transfer);
  }

  /** Waits until one more piece is wanted; false when the job is over. */
  async wants(): Promise<boolean> {
    while (this.#credit === 0 && !this.#report.settled) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#credit -= 1;
    return !this.#report.settled;
  }

  #take(answer: UnpackAnswer): void {
    if ('wanted' in answer) this.#credit += 1;
    else if ('report' in answer) this.#report.resolve(answer.report);
    else this.#fail(toError(answer.failure));
    this.#wake();
  }

  #fail(error: unknown): void {
    this.#report.reject(error);
    this.#wake();
  }
}

function toError(failure: UnpackFailure): EngineError {
  return typeof failure === 'string'
    ? new EngineError('INTERNAL', { what: failure })
    : new EngineError(failure.code, failure.data);
}

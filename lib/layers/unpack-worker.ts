import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import type { Digest } from '../core/digest.js';
import { EngineError, type ErrorCode, type ErrorData } from '../core/errors/engine-error.js';
import { chunksOnFile, readFileChunks } from '../util/read-file-chunks.js';
import { createLayerShim, type LayerShimOptions } from './shim/layer-shim.js';
import type { ShimReport } from './shim/shim-report.js';
import { type UnpackLayerOptions, unpackLayer } from './unpack-layer.js';

/** What is to be unpacked, and how. */
export interface UnpackTask {
  readonly shim: LayerShimOptions;
  readonly diffId: Digest;
  /** The layer as stored; without it, the pieces come as messages. */
  readonly file: string | undefined;
  readonly directory: string;
  readonly options: Omit<UnpackLayerOptions, 'signal'>;
}

/** An error of this package as its code and data, any other as its text. */
export type UnpackFailure = { readonly code: ErrorCode; readonly data: ErrorData[ErrorCode] } | string;

/** To the worker: a task, once; then the layer as stored, piece by piece, when it is wanted. */
export type UnpackRequest =
  | { readonly start: UnpackTask }
  | { readonly chunk: Uint8Array }
  | { readonly end: true }
  | { readonly abort: true };

/** From the worker. */
export type UnpackAnswer =
  | { readonly wanted: true }
  | { readonly report: ShimReport }
  | { readonly failure: UnpackFailure };

/** A message, with the number of the layer that it is about. */
export type About<Message> = Message & { readonly job: number };

/** Unpacking yields to the program that uses the library, on machines with few processors above all. */
const BACKGROUND_NICE = 10;

const port = parentPort;
if (port === null) throw new Error('unpack-worker is started as a worker thread');

// On Linux this is the calling thread alone, and what it starts: setpriority(2), "C library/kernel differences".
setPriority(0, BACKGROUND_NICE);

/** One layer on its way to the shim. */
class Unpacking {
  readonly #id: number;
  readonly #aborted = new AbortController();
  readonly #received: Uint8Array[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(id: number) {
    this.#id = id;
  }

  take(request: UnpackRequest): void {
    if ('chunk' in request) this.#received.push(request.chunk);
    else if ('end' in request) this.#ended = true;
    else this.#aborted.abort(new Error('aborted'));
    this.#wake();
  }

  async run({ shim, diffId, file, directory, options }: UnpackTask): Promise<void> {
    const open = (): AsyncIterable<Uint8Array> =>
      file === undefined ? this.#receive() : chunksOnFile(file, readFileChunks(file));
    const { signal } = this.#aborted;
    try {
      const report = await unpackLayer(createLayerShim(shim), { diffId, open }, directory, { ...options, signal });
      this.#answer({ report });
    } catch (error) {
      this.#answer({ failure: EngineError.is(error) ? { code: error.code, data: error.data } : String(error) });
    }
  }

  async *#receive(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#received.shift();
      if (chunk !== undefined) {
        this.#answer({ wanted: true });
        yield chunk;
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#aborted.signal.throwIfAborted();
      }
    }
  }

  #answer(message: UnpackAnswer): void {
    port?.postMessage({ job: this.#id, ...message } satisfies About<UnpackAnswer>);
  }
}

const jobs = new Map<number, Unpacking>();

port.on('message', (request: About<UnpackRequest>) => {
  if (!('start' in request)) return jobs.get(request.job)?.take(request);
  const unpacking = new Unpacking(request.job);
  jobs.set(request.job, unpacking);
  void unpacking.run(request.start).finally(() => jobs.delete(request.job));
});

import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import type { Digest } from '../core/digest.js';
import { EngineError, type ErrorCode, type ErrorData } from '../core/errors/engine-error.js';
import { createLayerShim, type LayerShimOptions } from './shim/layer-shim.js';
import type { ShimReport } from './shim/shim-report.js';
import { type UnpackLayerOptions, unpackLayer } from './unpack-layer.js';

/** What is to be unpacked, and how. */
export interface UnpackTask {
  readonly shim: LayerShimOptions;
  readonly diffId: Digest;
  readonly directory: string;
  readonly options: Omit<UnpackLayerOptions, 'signal'>;
}

/** An error of this package as its code and data, any other as its text. */
export type UnpackFailure = { readonly code: ErrorCode; readonly data: ErrorData[ErrorCode] } | string;

/** To the worker: the task, once; then the layer as stored, piece by piece, when it is wanted. */
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

/** Unpacking yields to the program that uses the library, on machines with few processors above all. */
const BACKGROUND_NICE = 10;

const port = parentPort;
if (port === null) throw new Error('unpack-worker is started as a worker thread');

// On Linux this is the calling thread alone, and what it starts: setpriority(2), "C library/kernel differences".
setPriority(0, BACKGROUND_NICE);

const aborted = new AbortController();
const received: Uint8Array[] = [];
let ended = false;
let wake: () => void = () => undefined;

port.on('message', (request: UnpackRequest) => {
  if ('start' in request) void unpack(request.start);
  else if ('chunk' in request) received.push(request.chunk);
  else if ('end' in request) ended = true;
  else aborted.abort(new Error('aborted'));
  wake();
});

async function unpack({ shim, diffId, directory, options }: UnpackTask): Promise<void> {
  const source = { diffId, open: receive };
  try {
    const report = await unpackLayer(createLayerShim(shim), source, directory, { ...options, signal: aborted.signal });
    answer({ report });
  } catch (error) {
    answer({ failure: EngineError.is(error) ? { code: error.code, data: error.data } : String(error) });
  }
  port?.close();
}

async function* receive(): AsyncGenerator<Uint8Array> {
  for (;;) {
    const chunk = received.shift();
    if (chunk !== undefined) {
      answer({ wanted: true });
      yield chunk;
    } else if (ended) {
      return;
    } else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      aborted.signal.throwIfAborted();
    }
  }
}

function answer(message: UnpackAnswer): void {
  port?.postMessage(message);
}

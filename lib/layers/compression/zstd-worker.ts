import { parentPort } from 'node:worker_threads';
import { Decompress } from 'fzstd';
import { ZstdFrames } from './zstd-frames.js';

/** To the worker: a piece of the compressed stream, its end, or how many bytes of output were used up. */
export type ZstdRequest = { readonly chunk: Uint8Array } | { readonly end: true } | { readonly usedBytes: number };
/** From the worker. `wanted`: the last chunk was worked off. */
export type ZstdAnswer =
  | { readonly data: Uint8Array }
  | { readonly wanted: true }
  | { readonly ended: true }
  | { readonly failure: string };

/** Output that nobody has used yet; above this the worker waits. */
const maxUnusedBytes = 2 * 1024 * 1024;

const port = parentPort;
if (port === null) throw new Error('zstd-worker is started as a worker thread');

let unusedBytes = 0;
let resume: () => void = () => undefined;
let work = Promise.resolve();
const frames = new ZstdFrames();
let decoder = new Decompress(emit);

port.on('message', (request: ZstdRequest) => {
  if ('usedBytes' in request) {
    unusedBytes -= request.usedBytes;
    resume();
    return;
  }
  work = work.then(() => handle(request)).catch((error: unknown) => answer({ failure: String(error) }));
});

async function handle(request: { chunk: Uint8Array } | { end: true }): Promise<void> {
  if ('end' in request) {
    answer(frames.isComplete ? { ended: true } : { failure: 'the zstd stream is truncated' });
    return;
  }
  for (const piece of frames.push(request.chunk)) {
    decoder.push(piece.bytes, piece.endsFrame);
    // A decoder holds back the beginning of the next frame until there is more of it: each frame gets its own.
    if (piece.endsFrame) decoder = new Decompress(emit);
    while (unusedBytes > maxUnusedBytes) {
      await new Promise<void>((done) => {
        resume = done;
      });
    }
  }
  answer({ wanted: true });
}

function emit(data: Uint8Array): void {
  const copy = data.slice(); // the decoder goes on using its window
  unusedBytes += copy.length;
  if (copy.length > 0) answer({ data: copy }, [copy.buffer]);
}

function answer(message: ZstdAnswer, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ZstdAnswer, ZstdRequest } from './zstd-worker.js';

/**
 * The content of a zstd stream of any number of frames, decoded in a worker thread.
 *
 * Node's own decoder (22.15 and later) is not used: it stops without an error after the first frame, while layers of
 * several frames are common (zstd:chunked, pzstd), and it is no faster. Throws `Error` for a malformed or cut stream.
 */
export async function* decompressZstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const worker = new Worker(new URL('./zstd-worker.js', import.meta.url), { name: 'tscontainer zstd', execArgv: [] });
  const answers = answersOf(worker);
  try {
    for await (const chunk of source) {
      if (chunk.length === 0) continue;
      send(worker, { chunk: new Uint8Array(chunk) });
      yield* dataUntil(worker, answers, 'wanted');
    }
    send(worker, { end: true });
    yield* dataUntil(worker, answers, 'ended');
  } finally {
    await worker.terminate();
  }
}

async function* dataUntil(
  worker: Worker,
  answers: AsyncGenerator<ZstdAnswer>,
  last: 'wanted' | 'ended',
): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { value: answer, done } = await answers.next();
    if (done) throw new Error('the zstd decoder has ended');
    if ('failure' in answer) throw new Error(answer.failure);
    if (last in answer) return;
    if (!('data' in answer)) continue;
    yield answer.data;
    send(worker, { usedBytes: answer.data.length });
  }
}

function send(worker: Worker, request: ZstdRequest): void {
  worker.postMessage(request);
}

/** The worker's messages in order; throws what the worker throws. */
async function* answersOf(worker: Worker): AsyncGenerator<ZstdAnswer> {
  const queue: ZstdAnswer[] = [];
  const failed = once(worker, 'exit').then(([code]) =>
    Promise.reject(new Error(`the zstd decoder ended with ${code}`)),
  );
  failed.catch(() => undefined); // it matters only while somebody waits for an answer
  let wake: () => void = () => undefined;
  worker.on('message', (answer: ZstdAnswer) => {
    queue.push(answer);
    wake();
  });
  for (;;) {
    const answer = queue.shift();
    if (answer !== undefined) {
      yield answer;
      continue;
    }
    await Promise.race([
      failed,
      new Promise<void>((done) => {
        wake = done;
      }),
    ]);
  }
}

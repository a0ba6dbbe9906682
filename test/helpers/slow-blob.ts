import type { Step } from './fake-registry.js';

const chunkBytes = 32 * 1024;

/** A blob that honours ranges and comes in pieces, one every `pauseMs`: so that a pull has moments. */
export function slowBlob(bytes: Uint8Array, pauseMs: number): Step {
  return ({ headers }, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    response.writeHead(from === 0 ? 200 : 206, {
      'content-length': String(bytes.byteLength - from),
      ...(from > 0 && { 'content-range': `bytes ${from}-${bytes.byteLength - 1}/${bytes.byteLength}` }),
    });
    let at = from;
    const timer = setInterval(() => {
      if (response.destroyed || at >= bytes.byteLength) {
        clearInterval(timer);
        response.end();
        return;
      }
      response.write(bytes.subarray(at, at + chunkBytes));
      at += chunkBytes;
    }, pauseMs);
    response.once('close', () => clearInterval(timer));
  };
}

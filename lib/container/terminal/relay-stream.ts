import type { Readable, Writable } from 'node:stream';

/**
 * Passes bytes on, as fast as they are taken, without owning either stream: none is ended or destroyed.
 *
 * @param pass - writes a chunk; false when no more is wanted before `to` has drained.
 * @returns what stops it; `from` is paused then, unless it flowed before.
 */
export function relayStream(
  from: Readable,
  to: Writable,
  pass: (chunk: Buffer) => boolean,
  ended: () => void,
): () => void {
  const flowed = from.readableFlowing === true;
  const onData = (chunk: Buffer | string): void => {
    if (!pass(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)) from.pause();
  };
  const onDrain = (): void => void from.resume();
  from.on('data', onData).once('end', ended);
  to.on('drain', onDrain);
  if (from.readableEnded || from.destroyed) queueMicrotask(ended);
  else from.resume();
  return () => {
    from.off('data', onData).off('end', ended);
    to.off('drain', onDrain);
    if (flowed) from.resume();
    else from.pause();
  };
}

import { EngineError } from '../../core/errors/engine-error.js';
import type { OpenBlob } from '../registry-client.js';

/** A part of a blob on its way to a registry. */
export interface SentPart {
  /** Opens it again from its beginning. */
  open(): AsyncIterable<Uint8Array>;
  /** What the source has thrown while it was sent: that is not the network's failure. */
  readonly failure: unknown;
}

/** The bytes of `source` from `from` up to, not including, `to`. `report` gets the place in the blob. */
export function openPart(source: OpenBlob, from: number, to: number, report: (doneBytes: number) => void): SentPart {
  let failure: unknown;
  const blame = (error: unknown): never => {
    failure = error;
    throw error;
  };
  const open = async function* (): AsyncGenerator<Uint8Array, void, void> {
    const chunks = source(from)[Symbol.asyncIterator]();
    try {
      for (let at = from; at < to; ) {
        const next = await chunks.next().catch(blame);
        if (next.done === true) {
          blame(new EngineError('SIZE_MISMATCH', { what: 'blob to push', expectedBytes: to, actualBytes: at }));
          return;
        }
        const piece = next.value.subarray(0, to - at);
        at += piece.byteLength;
        yield piece;
        report(at);
      }
    } finally {
      await chunks.return?.();
    }
  };
  return {
    open,
    get failure() {
      return failure;
    },
  };
}

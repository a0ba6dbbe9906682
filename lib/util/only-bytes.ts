import { EngineError } from '../core/errors/engine-error.js';

/**
 * What a caller gives as a stream of bytes: a Node stream with an encoding would give texts.
 *
 * @throws EngineError `INVALID_OPTION` naming `option`.
 */
export async function* onlyBytes(
  source: AsyncIterable<Uint8Array>,
  option: string,
): AsyncGenerator<Uint8Array, void, void> {
  if (typeof (source as Partial<AsyncIterable<Uint8Array>> | undefined)?.[Symbol.asyncIterator] !== 'function') {
    throw invalid(option, source);
  }
  for await (const chunk of source) {
    if (!(chunk instanceof Uint8Array)) throw invalid(option, chunk);
    yield chunk;
  }
}

const invalid = (option: string, got: unknown): EngineError =>
  new EngineError('INVALID_OPTION', { option, expected: 'a stream of bytes', got: typeof got });

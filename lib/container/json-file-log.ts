import { timestamp } from './log-line-iterator.js';
import type { LineBlock } from './log-lines.js';

/** What Docker's json-file calls a partial line is an entry without a line break at its end. */
export async function* jsonFileLines(blocks: AsyncIterable<LineBlock>): AsyncGenerator<string, void, void> {
  for await (const { stream, time, texts, partial } of blocks) {
    const stamp = timestamp(time);
    for (const [index, text] of texts.entries()) {
      const isPartial = partial && index === texts.length - 1;
      yield `${JSON.stringify({ log: isPartial ? text : `${text}\n`, stream, time: stamp })}\n`;
    }
  }
}

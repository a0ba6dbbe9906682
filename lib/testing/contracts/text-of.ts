import assert from 'node:assert/strict';
import type { Readable } from 'node:stream';

/** A stream that is being read. */
export interface ReadText {
  /** Until its end. */
  readonly all: Promise<string>;
  readonly bytes: Promise<Buffer>;
  /** Resolves as soon as `part` has been read; rejects if the stream ends without it. */
  includes(part: string): Promise<void>;
}

/** Reads `stream` from now on. */
export function textOf(stream: Readable | undefined): ReadText {
  assert.ok(stream !== undefined, 'the stream is there');
  const chunks: Buffer[] = [];
  const text = (): string => Buffer.concat(chunks).toString('utf8');
  const bytes = new Promise<Buffer>((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('error', reject);
    stream.once('close', () => resolve(Buffer.concat(chunks)));
  });
  const all = bytes.then((whole) => whole.toString('utf8'));
  for (const each of [bytes, all]) each.catch(() => undefined); // whoever awaits one is told
  return {
    bytes,
    all,
    includes: (part) =>
      new Promise((resolve, reject) => {
        const settle = (act: () => void): void => {
          stream.off('data', look);
          stream.off('close', miss);
          act();
        };
        const look = (): void => {
          if (text().includes(part)) settle(resolve);
        };
        const miss = (): void => settle(() => reject(new Error(`the stream ended without '${part}': '${text()}'`)));
        stream.on('data', look);
        stream.on('close', miss);
        look();
      }),
  };
}

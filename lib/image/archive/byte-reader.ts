/** Reads a stream of chunks by numbers of bytes. */
export class ByteReader {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** At least one byte and at most `count`, without copying, until the next call; undefined at the end. */
  async some(count: number): Promise<Uint8Array | undefined> {
    while (this.#rest.byteLength === 0) {
      const { value, done } = await this.#iterator.next();
      if (done === true) return undefined;
      this.#rest = value;
    }
    const piece = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(piece.byteLength);
    return piece;
  }

  /** Exactly `count` bytes; undefined when there are fewer. For small numbers: they are in memory at once. */
  async take(count: number): Promise<Uint8Array | undefined> {
    const pieces: Uint8Array[] = [];
    for (let missing = count; missing > 0; ) {
      const piece = await this.some(missing);
      if (piece === undefined) return undefined;
      missing -= piece.byteLength;
      // The source may use the memory of a chunk for the next one.
      pieces.push(missing > 0 ? Uint8Array.from(piece) : piece);
    }
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }

  /** Ends the stream, wherever it is. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}

import { EngineError } from '../core/errors/engine-error.js';

/** Reads little-endian values; anything cut off is `SHIM_FAILED`. */
export class WireReader {
  #offset = 0;

  constructor(private readonly buffer: Buffer) {}

  u32(): number {
    return this.buffer.readUInt32LE(this.#advance(4));
  }

  u64(): bigint {
    return this.buffer.readBigUInt64LE(this.#advance(8));
  }

  string(): string {
    const size = this.u32();
    const start = this.#advance(size + 1);
    return this.buffer.toString('utf8', start, start + size);
  }

  #advance(size: number): number {
    const start = this.#offset;
    if (start + size > this.buffer.length)
      throw new EngineError('SHIM_FAILED', { what: 'it sent a frame that is cut off' });
    this.#offset += size;
    return start;
  }
}

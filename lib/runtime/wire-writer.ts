import { EngineError } from '../core/errors/engine-error.js';
import { limits } from '../core/limits.js';

/** Builds a little-endian document of bounded size: launch plans and frames of the control channel. */
export class WireWriter {
  #buffer = Buffer.allocUnsafe(8192);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  u16(value: number): this {
    this.#reserve(2);
    this.#size = this.#buffer.writeUInt16LE(value, this.#size);
    return this;
  }

  u32(value: number): this {
    this.#reserve(4);
    this.#size = this.#buffer.writeUInt32LE(value >>> 0, this.#size);
    return this;
  }

  u64(value: bigint): this {
    this.#reserve(8);
    this.#size = this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.#size);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.u32(value.byteLength);
    this.#reserve(value.byteLength);
    this.#buffer.set(value, this.#size);
    this.#size += value.byteLength;
    return this;
  }

  /** Size, UTF-8 bytes, NUL. @throws EngineError `INVALID_OPTION` for a text with a NUL in it. */
  string(value: string): this {
    if (value.includes('\0')) {
      throw new EngineError('INVALID_OPTION', {
        option: 'text',
        expected: 'no NUL character',
        got: JSON.stringify(value),
      });
    }
    const size = Buffer.byteLength(value);
    this.u32(size);
    this.#reserve(size + 1);
    this.#buffer.write(value, this.#size);
    this.#buffer[this.#size + size] = 0;
    this.#size += size + 1;
    return this;
  }

  list(values: readonly string[]): this {
    this.u32(values.length);
    for (const value of values) this.string(value);
    return this;
  }

  /** Writes over an earlier u32: for sizes that are known only at the end. */
  patchU32(offset: number, value: number): this {
    this.#buffer.writeUInt32LE(value, offset);
    return this;
  }

  toBytes(): Buffer {
    return this.#buffer.subarray(0, this.#size);
  }

  #reserve(size: number): void {
    const needed = this.#size + size;
    if (needed <= this.#buffer.length) return;
    if (needed > limits.planBytes)
      throw new EngineError('TOO_LARGE', { what: 'launch plan', maxBytes: limits.planBytes });
    const larger = Buffer.allocUnsafe(Math.min(limits.planBytes, Math.max(needed, this.#buffer.length * 2)));
    larger.set(this.#buffer.subarray(0, this.#size));
    this.#buffer = larger;
  }
}

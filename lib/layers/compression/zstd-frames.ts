/** The largest window that `zstd -d` takes unasked: what a decoder must keep in memory. */
const maxWindowBytes = 128 * 1024 * 1024;
const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const emptyBytes = new Uint8Array(0);

/** A part of a frame. */
export interface ZstdPiece {
  readonly bytes: Uint8Array;
  /** The frame ends with this piece. */
  readonly endsFrame: boolean;
}

/**
 * Cuts a zstd stream at its block borders and leaves skippable frames out, which the decoder does not know. A block
 * expands to 128 KiB at most, so whoever decodes piece by piece has bounded memory.
 *
 * @see RFC 8878, section 3
 */
export class ZstdFrames {
  #held: Uint8Array = emptyBytes;
  #expect: 'magic' | 'frame' | 'block' | 'content' | 'checksum' | 'skippable-size' | 'skipped' = 'magic';
  #contentBytes = 0;
  #lastBlock = false;
  #hasChecksum = false;

  /** What of `chunk` (and of what was held back) can go on, none reaching over the end of a block. Throws `Error` for what is no zstd. */
  *push(chunk: Uint8Array): Generator<ZstdPiece> {
    let data = this.#held.length === 0 ? chunk : concatenate(this.#held, chunk);
    for (;;) {
      const size = this.#sizeOfNext(data);
      if (size === undefined || size > data.length) break;
      const taken = data.subarray(0, size);
      data = data.subarray(size);
      const forward = this.#step(taken);
      if (forward) yield { bytes: taken, endsFrame: this.#expect === 'magic' };
      if (data.length === 0 && this.#contentBytes > 0) break; // amid a block or a skipped frame
    }
    this.#held = data;
  }

  /** True between frames: a stream may end here. */
  get isComplete(): boolean {
    return this.#expect === 'magic' && this.#held.length === 0;
  }

  #sizeOfNext(data: Uint8Array): number | undefined {
    switch (this.#expect) {
      case 'magic':
        if (data.length < 4) return undefined;
        return isSkippable(data) ? 4 : frameHeaderBytes(data);
      case 'block':
        return 3;
      case 'checksum':
      case 'skippable-size':
        return 4;
      case 'content':
      case 'skipped':
        return Math.min(this.#contentBytes, data.length);
      default:
        return undefined;
    }
  }

  /** Advances over `taken`; true when it belongs to the data. */
  #step(taken: Uint8Array): boolean {
    switch (this.#expect) {
      case 'magic':
        if (isSkippable(taken)) {
          this.#expect = 'skippable-size';
          return false;
        }
        this.#hasChecksum = (at(taken, 4) & 4) !== 0;
        this.#expect = 'block';
        return true;
      case 'block': {
        const header = at(taken, 0) | (at(taken, 1) << 8) | (at(taken, 2) << 16);
        this.#lastBlock = (header & 1) !== 0;
        const type = (header >> 1) & 3;
        if (type === 3) throw new Error('a zstd block of a reserved type');
        this.#contentBytes = type === 1 ? 1 : header >> 3;
        this.#expect = 'content';
        return true;
      }
      case 'content':
        this.#contentBytes -= taken.length;
        if (this.#contentBytes > 0) return true;
        this.#expect = !this.#lastBlock ? 'block' : this.#hasChecksum ? 'checksum' : 'magic';
        return true;
      case 'skippable-size':
        this.#contentBytes = new DataView(taken.buffer, taken.byteOffset).getUint32(0, true);
        this.#expect = this.#contentBytes === 0 ? 'magic' : 'skipped';
        return false;
      case 'skipped':
        this.#contentBytes -= taken.length;
        if (this.#contentBytes === 0) this.#expect = 'magic';
        return false;
      default:
        this.#expect = 'magic';
        return true;
    }
  }
}

/** Size of a frame header; undefined while too little of it is there. */
function frameHeaderBytes(data: Uint8Array): number | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  if (view.getUint32(0, true) !== frameMagic) throw new Error('no zstd frame');
  if (data.length < 5) return undefined;
  const descriptor = at(data, 4);
  const singleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const contentSizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const size = 5 + (singleSegment ? 0 : 1) + dictionaryBytes + contentSizeBytes;
  if (data.length < size) return undefined;
  const windowBytes = singleSegment
    ? littleEndian(data.subarray(size - contentSizeBytes, size))
    : windowSize(at(data, 5));
  if (windowBytes > maxWindowBytes) throw new Error(`a zstd window of ${windowBytes} bytes`);
  return size;
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
}

function isSkippable(data: Uint8Array): boolean {
  return (new DataView(data.buffer, data.byteOffset).getUint32(0, true) & 0xfffffff0) >>> 0 === skippableMagic;
}

function at(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

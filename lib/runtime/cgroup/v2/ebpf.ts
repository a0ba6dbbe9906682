/** One instruction of extended BPF, struct bpf_insn. @see linux/bpf.h; kernel Documentation/bpf/instruction-set.rst */
export interface EbpfInstruction {
  readonly code: number;
  /** Registers, 0 to 10. */
  readonly destination: number;
  readonly source: number;
  /** Of a jump: instructions to skip. Of a load: bytes. */
  readonly offset: number;
  readonly immediate: number;
}

const make = (code: number, fields: Partial<EbpfInstruction> = {}): EbpfInstruction => {
  return { code, destination: 0, source: 0, offset: 0, immediate: 0, ...fields };
};

/** `destination` = the 32-bit word at `source` + `offset`. */
export const loadWord = (destination: number, source: number, offset: number): EbpfInstruction =>
  make(0x61, { destination, source, offset });

/** All arithmetic is of 32 bits. */
export const set = (destination: number, immediate: number): EbpfInstruction => make(0xb4, { destination, immediate });
export const copy = (destination: number, source: number): EbpfInstruction => make(0xbc, { destination, source });
export const keep = (destination: number, immediate: number): EbpfInstruction => make(0x54, { destination, immediate });
export const shiftRight = (destination: number, immediate: number): EbpfInstruction =>
  make(0x74, { destination, immediate });

/** Jumps are forward, over `offset` instructions; comparisons are of 32 bits (Linux 5.1). */
export const skip = (offset: number): EbpfInstruction => make(0x05, { offset });
export const skipUnlessEqual = (destination: number, immediate: number, offset: number): EbpfInstruction =>
  make(0x56, { destination, immediate, offset });
export const skipIfAnyBit = (destination: number, immediate: number, offset: number): EbpfInstruction =>
  make(0x46, { destination, immediate, offset });

/** Ends the program; register 0 is its answer. */
export const exit = (): EbpfInstruction => make(0x95);

/** The bytes of a program, little-endian as all architectures are that this package supports. */
export function encodeEbpf(instructions: readonly EbpfInstruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, each] of instructions.entries()) {
    view.setUint8(index * 8, each.code);
    view.setUint8(index * 8 + 1, (each.source << 4) | each.destination);
    view.setInt16(index * 8 + 2, each.offset, true);
    view.setInt32(index * 8 + 4, each.immediate | 0, true);
  }
  return bytes;
}

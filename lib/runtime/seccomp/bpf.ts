/** One instruction of classic BPF, struct sock_filter. @see linux/filter.h */
export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** The kernel takes no longer filter. @see BPF_MAXINSNS in linux/bpf_common.h */
export const maxInstructions = 4096;

/** `jt` and `jf` have 8 bits. */
const maxConditionalJump = 255;

/** Loads the 32-bit word at `offset` of struct seccomp_data. */
export const load = (offset: number): Instruction => ({ code: 0x20, jt: 0, jf: 0, k: offset });
export const and = (k: number): Instruction => ({ code: 0x54, jt: 0, jf: 0, k });
export const jump = (distance: number): Instruction => ({ code: 0x05, jt: 0, jf: 0, k: distance });
export const ifEqual = (k: number, jt: number, jf: number): Instruction => ({ code: 0x15, jt, jf, k });
export const ifGreater = (k: number, jt: number, jf: number): Instruction => ({ code: 0x25, jt, jf, k });
export const ifGreaterOrEqual = (k: number, jt: number, jf: number): Instruction => ({ code: 0x35, jt, jf, k });
export const answer = (k: number): Instruction => ({ code: 0x06, jt: 0, jf: 0, k });

/** `test` decides: true runs `then`, false what follows it. `then` must not run through its end. */
export function branch(
  test: (jt: number, jf: number) => Instruction,
  then: readonly Instruction[],
  otherwise: readonly Instruction[],
): Instruction[] {
  const head = then.length <= maxConditionalJump ? [test(0, then.length)] : [test(1, 0), jump(then.length)];
  return [...head, ...then, ...otherwise];
}

/** The bytes of a filter, little-endian as all architectures with a table here are. */
export function encodeInstructions(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, each] of instructions.entries()) {
    view.setUint16(index * 8, each.code, true);
    view.setUint8(index * 8 + 2, each.jt);
    view.setUint8(index * 8 + 3, each.jf);
    view.setUint32(index * 8 + 4, each.k >>> 0, true);
  }
  return bytes;
}

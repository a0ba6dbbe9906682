/** What the kernel shows to a filter. @see struct seccomp_data in linux/seccomp.h */
export interface SystemCall {
  readonly architecture: number;
  readonly number: number;
  readonly args: readonly bigint[];
}

export interface Verdict {
  readonly value: number;
  /** Instructions executed. */
  readonly steps: number;
}

/**
 * Runs a filter the way the kernel does, for the instructions that seccomp accepts and this package uses. Refuses jumps
 * out of the program and programs without an end, like the kernel's checker.
 */
export function runFilter(filter: Uint8Array, call: SystemCall): Verdict {
  const program = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  const data = seccompData(call);
  const length = filter.length / 8;
  let accumulator = 0;
  let steps = 0;
  for (let at = 0; at < length; at += 1) {
    steps += 1;
    const code = program.getUint16(at * 8, true);
    const k = program.getUint32(at * 8 + 4, true);
    const hop = (taken: boolean): number => program.getUint8(at * 8 + (taken ? 2 : 3));
    if (code === 0x06) return { value: k, steps };
    else if (code === 0x20) accumulator = data.getUint32(k, true);
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x05) at += k;
    else if (code === 0x15) at += hop(accumulator === k);
    else if (code === 0x25) at += hop(accumulator > k);
    else if (code === 0x35) at += hop(accumulator >= k);
    else throw new Error(`instruction ${at}: unknown code ${code}`);
  }
  throw new Error('the program ran past its end');
}

function seccompData(call: SystemCall): DataView {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, call.number >>> 0, true);
  data.setUint32(4, call.architecture, true);
  for (const [index, value] of call.args.entries()) data.setBigUint64(16 + index * 8, value, true);
  return data;
}

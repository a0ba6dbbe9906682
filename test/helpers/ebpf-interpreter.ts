/** What the kernel asks a program of type BPF_PROG_TYPE_CGROUP_DEVICE. @see struct bpf_cgroup_dev_ctx in linux/bpf.h */
export interface DeviceQuestion {
  readonly type: 'block' | 'char';
  /** Some of `r`, `w`, `m`. */
  readonly access: string;
  readonly major: number;
  readonly minor: number;
}

/**
 * Runs a device program as the kernel does and returns its answer, for the instructions that this package uses. As
 * strict as the kernel's verifier in what matters here: no jump out of the program or back, no read beyond the
 * argument, no use of a register before it is set.
 */
export function runDeviceProgram(program: Uint8Array, question: DeviceQuestion): number {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const context = contextOf(question);
  const registers = new Map<number, number>();
  const read = (register: number): number => {
    const value = registers.get(register);
    if (value === undefined) throw new Error(`register ${register} is used before it is set`);
    return value;
  };
  for (let at = 0; at < program.length / 8; at += 1) {
    const operation = code.getUint8(at * 8);
    const destination = code.getUint8(at * 8 + 1) & 0xf;
    const source = code.getUint8(at * 8 + 1) >> 4;
    const offset = code.getInt16(at * 8 + 2, true);
    const immediate = code.getUint32(at * 8 + 4, true);
    const jumpIf = (taken: boolean): void => {
      if (offset < 0 || at + 1 + offset >= program.length / 8) throw new Error(`instruction ${at}: jump out of reach`);
      if (taken) at += offset;
    };
    switch (operation) {
      case 0x61:
        if (source !== 1) throw new Error(`instruction ${at}: loads from register ${source}`);
        registers.set(destination, context.getUint32(offset, true));
        break;
      case 0xb4:
        registers.set(destination, immediate);
        break;
      case 0xbc:
        registers.set(destination, read(source));
        break;
      case 0x54:
        registers.set(destination, (read(destination) & immediate) >>> 0);
        break;
      case 0x74:
        registers.set(destination, read(destination) >>> immediate);
        break;
      case 0x05:
        jumpIf(true);
        break;
      case 0x56:
        jumpIf(read(destination) !== immediate);
        break;
      case 0x46:
        jumpIf((read(destination) & immediate) !== 0);
        break;
      case 0x95:
        return read(0);
      default:
        throw new Error(`instruction ${at}: unknown code ${operation}`);
    }
  }
  throw new Error('the program ran past its end');
}

const typeNumbers = { block: 1, char: 2 };
const accessBits: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };

function contextOf(question: DeviceQuestion): DataView {
  const access = [...question.access].reduce((bits, letter) => bits | (accessBits[letter] ?? 0), 0);
  const context = new DataView(new ArrayBuffer(12));
  context.setUint32(0, (access << 16) | typeNumbers[question.type], true);
  context.setUint32(4, question.major, true);
  context.setUint32(8, question.minor, true);
  return context;
}

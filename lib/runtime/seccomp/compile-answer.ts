import { and, answer, type Instruction, ifEqual, ifGreater, ifGreaterOrEqual, load } from './bpf.js';
import type { Alternative, Condition, SyscallAnswer } from './resolve-rules.js';

/** Instructions that end with an answer, whatever the accumulator holds. */
export function compileAnswer(syscall: SyscallAnswer): Instruction[] {
  return [...syscall.alternatives.flatMap(compileAlternative), answer(syscall.otherwise)];
}

/** A jump target that is known only when the alternative is complete: the first instruction after it. */
const FAILS = -1;

function compileAlternative(alternative: Alternative): Instruction[] {
  const code = [...alternative.conditions.flatMap(compileCondition), answer(alternative.value)];
  const resolve = (target: number, at: number): number => (target === FAILS ? code.length - at - 1 : target);
  return code.map((each, at) => ({ ...each, jt: resolve(each.jt, at), jf: resolve(each.jf, at) }));
}

/**
 * Runs through its end when the condition holds. BPF has words of 32 bits, so the halves of the argument are compared
 * one after the other, the upper one first. On 32-bit architectures the kernel gives an upper half of zero.
 */
function compileCondition(condition: Condition): Instruction[] {
  const low = load(16 + condition.index * 8);
  const high = load(16 + condition.index * 8 + 4);
  const [valueHigh, valueLow] = halves(condition.value);
  switch (condition.op) {
    case 'SCMP_CMP_EQ':
      return [high, ifEqual(valueHigh, 0, FAILS), low, ifEqual(valueLow, 0, FAILS)];
    case 'SCMP_CMP_NE':
      return [high, ifEqual(valueHigh, 0, 2), low, ifEqual(valueLow, FAILS, 0)];
    case 'SCMP_CMP_GT':
      return [high, ifGreater(valueHigh, 3, 0), ifEqual(valueHigh, 0, FAILS), low, ifGreater(valueLow, 0, FAILS)];
    case 'SCMP_CMP_GE':
      return [
        high,
        ifGreater(valueHigh, 3, 0),
        ifEqual(valueHigh, 0, FAILS),
        low,
        ifGreaterOrEqual(valueLow, 0, FAILS),
      ];
    case 'SCMP_CMP_LT':
      return [
        high,
        ifGreater(valueHigh, FAILS, 0),
        ifEqual(valueHigh, 0, 2),
        low,
        ifGreaterOrEqual(valueLow, FAILS, 0),
      ];
    case 'SCMP_CMP_LE':
      return [high, ifGreater(valueHigh, FAILS, 0), ifEqual(valueHigh, 0, 2), low, ifGreater(valueLow, FAILS, 0)];
    case 'SCMP_CMP_MASKED_EQ': {
      const [wantedHigh, wantedLow] = halves(condition.valueTwo);
      const upper = [high, and(valueHigh), ifEqual(wantedHigh, 0, FAILS)];
      const lower = [low, and(valueLow), ifEqual(wantedLow, 0, FAILS)];
      return valueHigh === 0 && wantedHigh === 0 ? lower : [...upper, ...lower];
    }
  }
}

function halves(value: bigint): [high: number, low: number] {
  return [Number(value >> 32n), Number(value & 0xffff_ffffn)];
}

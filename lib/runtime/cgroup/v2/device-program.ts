import type { DeviceRule } from '../device-rules.js';
import {
  copy,
  type EbpfInstruction,
  encodeEbpf,
  exit,
  keep,
  loadWord,
  set,
  shiftRight,
  skip,
  skipIfAnyBit,
  skipUnlessEqual,
} from './ebpf.js';

/**
 * The program that enforces device rules on cgroup v2: it answers 1 when each access that is asked for is allowed by the
 * last rule that names it, and 0 otherwise.
 *
 * Rules are looked at from the last to the first. A rule that allows takes its accesses off the question, and nothing
 * left to ask is a yes; a rule that denies any of what is left is a no.
 *
 * @see struct bpf_cgroup_dev_ctx in linux/bpf.h
 */
export function assembleDeviceProgram(rules: readonly DeviceRule[]): Uint8Array {
  return encodeEbpf([...readQuestion, ...rules.toReversed().flatMap(ruleInstructions), ...answer(0)]);
}

const CONTEXT = 1; // the register that holds the argument when the program begins
const ACCESS = 2; // what is still to be allowed
const TYPE = 3;
const MAJOR = 4;
const MINOR = 5;

/** BPF_DEVCG_DEV_… and BPF_DEVCG_ACC_… */
const typeNumbers = { block: 1, char: 2 } as const;
const accessBits: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };

/** The first word has the access in its upper half and the type in its lower one. */
const readQuestion: readonly EbpfInstruction[] = [
  loadWord(ACCESS, CONTEXT, 0),
  copy(TYPE, ACCESS),
  keep(TYPE, 0xffff),
  shiftRight(ACCESS, 16),
  loadWord(MAJOR, CONTEXT, 4),
  loadWord(MINOR, CONTEXT, 8),
];

const answer = (value: 0 | 1): readonly EbpfInstruction[] => [set(0, value), exit()];

function ruleInstructions(rule: DeviceRule): EbpfInstruction[] {
  const access = [...rule.access].reduce((bits, letter) => bits | (accessBits[letter] ?? 0), 0);
  const action = rule.allow === false ? deny(access) : allow(access);
  const conditions: (readonly [register: number, value: number])[] = [
    [TYPE, typeNumbers[rule.type]],
    ...(rule.major === '*' ? [] : [[MAJOR, rule.major] as const]),
    ...(rule.minor === '*' ? [] : [[MINOR, rule.minor] as const]),
  ];
  const length = conditions.length + action.length;
  const tests = conditions.map(([register, value], index) => skipUnlessEqual(register, value, length - index - 1));
  return [...tests, ...action];
}

const allow = (access: number): readonly EbpfInstruction[] => [
  keep(ACCESS, ~access),
  skipUnlessEqual(ACCESS, 0, 2),
  ...answer(1),
];

const deny = (access: number): readonly EbpfInstruction[] => [skipIfAnyBit(ACCESS, access, 1), skip(2), ...answer(0)];

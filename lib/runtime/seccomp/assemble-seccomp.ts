import { EngineError } from '../../core/errors/engine-error.js';
import { actionValue, ENOSYS, EPERM } from './action-value.js';
import {
  architectureFacts,
  filteredArchitectures,
  type HostArchitecture,
  type SeccompArchitecture,
  x32Bit,
} from './architecture.js';
import {
  answer,
  branch,
  encodeInstructions,
  type Instruction,
  ifEqual,
  ifGreaterOrEqual,
  load,
  maxInstructions,
} from './bpf.js';
import { compileAnswer } from './compile-answer.js';
import type { SeccompProfile } from './profile.js';
import { resolveRules, type SyscallAnswer } from './resolve-rules.js';
import { syscallTable } from './syscall-table.js';

const offsetOfNumber = 0;
const offsetOfArchitecture = 4;

const killed = actionValue('SCMP_ACT_KILL_PROCESS', undefined, 'seccomp');
const missing = actionValue('SCMP_ACT_ERRNO', ENOSYS, 'seccomp');
const forbidden = actionValue('SCMP_ACT_ERRNO', EPERM, 'seccomp');

/**
 * Compiles a profile to the classic BPF that seccomp(2) loads: an array of struct sock_filter, little-endian.
 *
 * The architecture is checked first (a process of one that is not in the filter is killed), then the number is looked up
 * in a binary tree of number ranges, then arguments are compared where a rule asks for it. Beyond the profile:
 * - Calls newer than the tables of this package fail with ENOSYS where the profile's default is EPERM: C libraries try
 *   new calls first and fall back on ENOSYS only.
 * - x32 calls on x86_64 fail with ENOSYS unless the profile lists SCMP_ARCH_X32, as on kernels without that ABI. They
 *   never fall to the default action, which may be to allow.
 *
 * @throws EngineError `INVALID_OPTION` naming the part of the profile that is wrong, or that makes it too long.
 * @see seccomp(2)
 */
export function assembleSeccomp(profile: SeccompProfile, host: HostArchitecture): Uint8Array {
  const { answers, defaultValue } = resolveRules(profile);
  const filtered = filteredArchitectures(host, profile.architectures ?? []);
  let code: Instruction[] = [answer(killed)];
  for (const architecture of [...filtered].reverse()) {
    if (architecture === 'x32') continue; // part of x86_64's tree
    const ranges = rangesOf(architecture, answers, defaultValue);
    if (architecture === 'x86_64') {
      ranges.push(...(filtered.has('x32') ? rangesOf('x32', answers, defaultValue) : [constant(x32Bit, missing)]));
    }
    const tree = [load(offsetOfNumber), ...compileTree(merge(ranges))];
    code = branch((jt, jf) => ifEqual(architectureFacts[architecture].audit, jt, jf), tree, code);
  }
  const filter = [load(offsetOfArchitecture), ...code];
  if (filter.length > maxInstructions) {
    throw new EngineError('INVALID_OPTION', {
      option: 'seccomp',
      expected: `a profile that compiles to at most ${maxInstructions} instructions`,
      got: `${filter.length} instructions`,
    });
  }
  return encodeInstructions(filter);
}

/** Numbers from `from` up to the next range's. */
interface Range {
  readonly from: number;
  readonly answer: SyscallAnswer;
}

const constant = (from: number, otherwise: number): Range => ({ from, answer: { alternatives: [], otherwise } });

/** Every number that the architecture can have, in rising order. */
function rangesOf(
  architecture: SeccompArchitecture,
  answers: ReadonlyMap<string, SyscallAnswer>,
  defaultValue: number,
): Range[] {
  const { numbers, highest } = syscallTable(architecture);
  const beyond = defaultValue === forbidden ? missing : defaultValue;
  const background = (from: number): Range => constant(from, from > highest ? beyond : defaultValue);
  const named = [...answers].flatMap(([name, each]) => {
    const number = numbers.get(name);
    return number === undefined ? [] : [{ from: number, answer: each }];
  });
  named.sort((a, b) => a.from - b.from);
  // Known private calls without a rule keep the default, so they are ranges too.
  const unnamed = [...numbers.values()]
    .filter((number) => number > highest)
    .map((from) => constant(from, defaultValue));
  const points = new Map([...unnamed, ...named].map((each) => [each.from, each]));
  const lowest = architecture === 'x32' ? x32Bit : 0;
  const starts = new Map<number, Range>([
    [lowest, background(lowest)],
    [highest + 1, background(highest + 1)],
  ]);
  for (const number of points.keys()) starts.set(number + 1, background(number + 1));
  for (const [number, each] of points) starts.set(number, each);
  return [...starts.values()].sort((a, b) => a.from - b.from);
}

/** Joins neighbours with the same answer. Answers with conditions are compared by identity, which rules share. */
function merge(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  for (const each of ranges) {
    const last = merged.at(-1)?.answer;
    const plain = last?.alternatives.length === 0 && each.answer.alternatives.length === 0;
    if (last === each.answer || (plain && last.otherwise === each.answer.otherwise)) continue;
    merged.push(each);
  }
  return merged;
}

/** The kernel's cache of always allowed calls understands these instructions, so they cost nothing for those calls. */
function compileTree(ranges: readonly Range[]): Instruction[] {
  const [first, second] = ranges;
  if (first === undefined) return [answer(killed)];
  if (second === undefined) return compileAnswer(first.answer);
  const middle = ranges.length >> 1;
  const upper = ranges.slice(middle);
  const test = (jt: number, jf: number) => ifGreaterOrEqual(upper[0]?.from ?? 0, jt, jf);
  return branch(test, compileTree(upper), compileTree(ranges.slice(0, middle)));
}

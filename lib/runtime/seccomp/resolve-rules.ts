import { EngineError } from '../../core/errors/engine-error.js';
import { actionValue } from './action-value.js';
import type { SeccompCondition, SeccompOperator, SeccompProfile, SeccompRule } from './profile.js';

/** What a filter answers for one system call: the first alternative whose conditions all hold, else `otherwise`. */
export interface SyscallAnswer {
  readonly alternatives: readonly Alternative[];
  readonly otherwise: number;
}

export interface Alternative {
  readonly conditions: readonly Condition[];
  readonly value: number;
}

/** A checked {@link SeccompCondition}. */
export interface Condition {
  readonly index: number;
  readonly op: SeccompOperator;
  readonly value: bigint;
  readonly valueTwo: bigint;
}

/**
 * The answers of a profile by the name of the system call, after the rules at {@link SeccompProfile}.
 *
 * @throws EngineError `INVALID_OPTION` naming the part of the profile that is wrong.
 */
export function resolveRules(profile: SeccompProfile): { answers: Map<string, SyscallAnswer>; defaultValue: number } {
  const defaultValue = actionValue(profile.defaultAction, profile.defaultErrnoRet, 'seccomp.default');
  const answers = new Map<string, SyscallAnswer>();
  for (const [index, rule] of (profile.syscalls ?? []).entries()) {
    const option = `seccomp.syscalls[${index}]`;
    const value = actionValue(rule.action, rule.errnoRet, option);
    const added = alternativesOf(rule, value, option);
    if (value === defaultValue) continue;
    for (const name of rule.names) answers.set(name, extend(answers.get(name), added, value, defaultValue));
  }
  return { answers, defaultValue };
}

function extend(
  present: SyscallAnswer | undefined,
  added: readonly Alternative[],
  value: number,
  defaultValue: number,
): SyscallAnswer {
  const decided = present !== undefined && present.alternatives.length === 0;
  if (decided) return present;
  if (added.length === 0) return { alternatives: [], otherwise: value };
  return { alternatives: [...(present?.alternatives ?? []), ...added], otherwise: defaultValue };
}

function alternativesOf(rule: SeccompRule, value: number, option: string): Alternative[] {
  const conditions = (rule.args ?? []).map((each, index) => checkCondition(each, `${option}.args[${index}]`));
  if (conditions.length === 0) return [];
  const repeated = new Set(conditions.map((each) => each.index)).size < conditions.length;
  return repeated ? conditions.map((each) => ({ conditions: [each], value })) : [{ conditions, value }];
}

const operators: ReadonlySet<string> = new Set<SeccompOperator>([
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
]);

function checkCondition(condition: SeccompCondition, option: string): Condition {
  const { index, op } = condition;
  if (!Number.isInteger(index) || index < 0 || index > 5) throw invalid(`${option}.index`, '0 to 5', index);
  if (!operators.has(op)) throw invalid(`${option}.op`, `one of ${[...operators].join(', ')}`, op);
  const value = unsigned64(condition.value, `${option}.value`);
  return { index, op, value, valueTwo: unsigned64(condition.valueTwo ?? 0, `${option}.valueTwo`) };
}

function unsigned64(value: number | bigint, option: string): bigint {
  const exact = typeof value === 'bigint' || Number.isSafeInteger(value);
  if (!exact || value < 0 || value > 0xffff_ffff_ffff_ffffn) {
    throw invalid(option, 'a whole number of 64 bits, as a bigint above 2^53', value);
  }
  return BigInt(value);
}

function invalid(option: string, expected: string, got: unknown): EngineError {
  return new EngineError('INVALID_OPTION', { option, expected, got: String(got).slice(0, 200) });
}

import type { SeccompArchitecture } from '#lib/runtime/seccomp/architecture.js';
import type { SeccompCondition, SeccompProfile, SeccompRule } from '#lib/runtime/seccomp/profile.js';

/** What happens to a call, in words: `allow`, `errno 38`, `trace 5`, `kill process`, … */
export type Outcome = string;

/** The straightforward reading of a profile, rule by rule, for a call whose `names` on its architecture are known. */
export function evaluateProfile(
  profile: SeccompProfile,
  call: { readonly names: readonly string[]; readonly args: readonly bigint[] },
): Outcome {
  const fallback = outcome(profile.defaultAction, profile.defaultErrnoRet);
  const rules = (profile.syscalls ?? [])
    .filter((rule) => rule.names.some((name) => call.names.includes(name)))
    .filter((rule) => outcome(rule.action, rule.errnoRet) !== fallback);
  const decisive =
    rules.find((rule) => (rule.args ?? []).length === 0) ?? rules.find((rule) => matches(rule, call.args));
  return decisive === undefined ? fallback : outcome(decisive.action, decisive.errnoRet);
}

/** The same words for what a filter returned. @see linux/seccomp.h */
export function outcomeOfValue(value: number): Outcome {
  const data = value & 0xffff;
  switch (value & 0xffff_0000) {
    case 0x7fff_0000:
      return 'allow';
    case 0x7ffc_0000:
      return 'log';
    case 0x7fc0_0000:
      return 'notify';
    case 0x7ff0_0000:
      return `trace ${data}`;
    case 0x0005_0000:
      return `errno ${data}`;
    case 0x0003_0000:
      return 'trap';
    case 0:
      return 'kill thread';
    case 0x8000_0000 | 0:
      return 'kill process';
    default:
      return `unknown ${value}`;
  }
}

/** `args` as the architecture passes them: 32-bit ones have no upper halves. */
export function visibleArguments(architecture: SeccompArchitecture, args: readonly bigint[]): bigint[] {
  const narrow = architecture === 'x86' || architecture === 'arm';
  return args.map((each) => (narrow ? each & 0xffff_ffffn : each));
}

function outcome(action: string, errno: number | undefined): Outcome {
  const name = action.replace('SCMP_ACT_', '').toLowerCase().replace('_', ' ');
  if (name === 'kill') return 'kill thread';
  return name === 'errno' || name === 'trace' ? `${name} ${errno ?? 1}` : name;
}

function matches(rule: SeccompRule, args: readonly bigint[]): boolean {
  const conditions = rule.args ?? [];
  const results = conditions.map((each) => holds(each, args[each.index] ?? 0n));
  const repeated = new Set(conditions.map((each) => each.index)).size < conditions.length;
  return repeated ? results.includes(true) : !results.includes(false);
}

function holds(condition: SeccompCondition, arg: bigint): boolean {
  const value = BigInt(condition.value);
  switch (condition.op) {
    case 'SCMP_CMP_EQ':
      return arg === value;
    case 'SCMP_CMP_NE':
      return arg !== value;
    case 'SCMP_CMP_LT':
      return arg < value;
    case 'SCMP_CMP_LE':
      return arg <= value;
    case 'SCMP_CMP_GT':
      return arg > value;
    case 'SCMP_CMP_GE':
      return arg >= value;
    case 'SCMP_CMP_MASKED_EQ':
      return (arg & value) === BigInt(condition.valueTwo ?? 0);
  }
}

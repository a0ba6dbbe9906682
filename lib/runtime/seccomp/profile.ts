/**
 * A system call filter in the form of the OCI runtime-spec.
 *
 * Where the specification is silent, rules mean what runc makes of them:
 * - A rule whose action is the default action (same errno) says nothing and is left out.
 * - A rule without `args` wins over rules with `args` for the same call; of several, the first counts.
 * - Of rules with `args`, the first whose conditions all hold counts. Conditions of one rule on the same argument are
 *   alternatives, each as if in a rule of its own.
 * - Names that an architecture does not have are left out for it.
 *
 * @see OCI runtime-spec, config-linux.md, "Seccomp"
 */
export interface SeccompProfile {
  /** For calls that no rule matches. */
  readonly defaultAction: SeccompAction;
  /** Errno of the default action; only with an action that takes one. Default 1 (EPERM). */
  readonly defaultErrnoRet?: number | undefined;
  /** Beside the host's own. Processes of any other architecture are killed at their first call. */
  readonly architectures?: readonly string[] | undefined;
  /** Flags of seccomp(2). */
  readonly flags?: readonly SeccompFlag[] | undefined;
  readonly syscalls?: readonly SeccompRule[] | undefined;
}

/** What happens at calls of these names whose arguments meet all conditions. */
export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  /** Errno for ERRNO, message for TRACE. Default 1 (EPERM). */
  readonly errnoRet?: number | undefined;
  readonly args?: readonly SeccompCondition[] | undefined;
}

/** A comparison of one argument, as an unsigned number of 64 bits. */
export interface SeccompCondition {
  /** Which argument, from 0 to 5. */
  readonly index: number;
  /** A bigint where it exceeds 2^53. For MASKED_EQ the mask. */
  readonly value: number | bigint;
  /** Only for MASKED_EQ: what the masked argument is compared with. Default 0. */
  readonly valueTwo?: number | bigint | undefined;
  readonly op: SeccompOperator;
}

/** What the kernel does at a call. @see seccomp(2) */
export type SeccompAction = `SCMP_ACT_${
  | 'ALLOW'
  | 'ERRNO'
  | 'KILL'
  | 'KILL_THREAD'
  | 'KILL_PROCESS'
  | 'TRAP'
  | 'TRACE'
  | 'LOG'
  | 'NOTIFY'}`;

/** How an argument is compared. */
export type SeccompOperator = `SCMP_CMP_${'NE' | 'LT' | 'LE' | 'EQ' | 'GE' | 'GT' | 'MASKED_EQ'}`;

/** @see seccomp(2), SECCOMP_SET_MODE_FILTER */
export type SeccompFlag = `SECCOMP_FILTER_FLAG_${'TSYNC' | 'LOG' | 'SPEC_ALLOW' | 'WAIT_KILLABLE_RECV'}`;

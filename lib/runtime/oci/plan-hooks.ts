import type { PlanOperation } from '../launch-plan.js';
import type { HookKind, OciHooks } from './oci-config.js';
import { type OciState, stateAroundPid } from './oci-state.js';

/** Those that are part of a plan; poststart and poststop are run by who starts and deletes. */
export type PlannedHook = Extract<HookKind, 'prestart' | 'createRuntime' | 'createContainer' | 'startContainer'>;

/** @see OCI runtime-spec, runtime.md, "Lifecycle", for the status that each kind sees */
const statusOf = { prestart: 'creating', createRuntime: 'creating', createContainer: 'creating' } as const;

/**
 * The hooks of one kind, in their order. `environment` is for those without one of their own.
 */
export function planHooks(
  kind: PlannedHook,
  hooks: OciHooks,
  state: Omit<OciState, 'pid' | 'status'>,
  environment: readonly string[],
): readonly PlanOperation[] {
  const status = kind === 'startContainer' ? 'created' : statusOf[kind];
  const { before, after } = stateAroundPid({ ...state, status });
  return (hooks[kind] ?? []).map(
    (hook): PlanOperation => ({
      op: 'run-hook',
      path: hook.path,
      arguments: hook.args === undefined || hook.args.length === 0 ? [hook.path] : hook.args,
      environment: hook.env ?? environment,
      timeoutSeconds: Math.max(0, hook.timeout ?? 0),
      directory: kind === 'startContainer' ? '/' : state.bundle,
      before,
      after,
    }),
  );
}

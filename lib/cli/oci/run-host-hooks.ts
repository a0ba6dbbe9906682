import { spawnSync } from 'node:child_process';
import { EngineError } from '../../core/errors/engine-error.js';
import type { OciHook } from '../../runtime/oci/oci-config.js';
import type { OciState } from '../../runtime/oci/oci-state.js';
import { hasErrno } from '../../util/errno.js';

/**
 * Runs poststart or poststop hooks in their order.
 *
 * @throws EngineError `HOOK_FAILED` for the first that fails; the rest is not run.
 */
export function runHostHooks(kind: 'poststart' | 'poststop', hooks: readonly OciHook[], state: OciState): void {
  for (const hook of hooks) runHook(kind, hook, state);
}

/** The same, with a failure being a message: what happens at the end of a container cannot be undone. */
export function runHooksToTheEnd(hooks: readonly OciHook[], state: OciState, warn: (message: string) => void): void {
  for (const hook of hooks) {
    try {
      runHook('poststop', hook, state);
    } catch (error) {
      if (!EngineError.is(error, 'HOOK_FAILED')) throw error;
      warn(`poststop hook ${error.data.reason}: ${error.data.path}`);
    }
  }
}

function runHook(kind: string, hook: OciHook, state: OciState): void {
  const [argv0 = hook.path, ...args] = hook.args ?? [];
  const environment = hook.env?.map((entry): [string, string] => {
    const equals = entry.indexOf('=');
    return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
  });
  const { error, status, signal } = spawnSync(hook.path, args, {
    argv0,
    cwd: state.bundle,
    env: environment === undefined ? process.env : Object.fromEntries(environment),
    input: JSON.stringify(state),
    stdio: ['pipe', 'inherit', 'inherit'],
    ...(hook.timeout !== undefined &&
      hook.timeout > 0 && { timeout: hook.timeout * 1000, killSignal: 'SIGKILL' as const }),
  });
  const early = hasErrno(error, 'EPIPE'); // it has not read its state
  if (status === 0 && (error === undefined || early)) return;
  const reason =
    error !== undefined && !early
      ? `failed: ${error.message}`
      : `failed with exit code ${status ?? `of signal ${signal ?? 'unknown'}`}`;
  throw new EngineError('HOOK_FAILED', { hook: kind, path: hook.path, reason });
}

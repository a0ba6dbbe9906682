import { EngineError } from '../core/errors/engine-error.js';
import type { NamespaceKind } from '../runtime/namespace-kind.js';
import { planSysctls } from '../runtime/oci/plan-sysctl.js';
import { invalidOption } from './invalid-option.js';

/** @throws EngineError `INVALID_OPTION` for one that is the host's, or that of a namespace which the container shares. */
export function resolveSysctls(
  sysctls: Readonly<Record<string, string>> = {},
  own: readonly NamespaceKind[],
): { readonly sysctls?: Readonly<Record<string, string>> } {
  if (Object.keys(sysctls).length === 0) return {};
  try {
    planSysctls(sysctls, new Set(own));
  } catch (error) {
    if (!EngineError.is(error, 'INVALID_OCI_CONFIG')) throw error;
    throw invalidOption('sysctls', 'parameters of the container’s own namespaces', error.message);
  }
  return { sysctls };
}

import { capabilityMask, parseCapability } from '../capabilities.js';
import type { PlanOperation } from '../launch-plan.js';
import { invalidConfig } from './invalid-config.js';
import type { OciLinux } from './oci-linux.js';
import type { OciCapabilities, OciProcess } from './oci-process.js';
import { planAttributes } from './process-attributes.js';

export interface ProcessPlanOptions {
  /** Place of the process in its document, for errors. */
  readonly path: string;
  readonly seccomp: readonly PlanOperation[];
  /** Supplementary groups that are kept from the caller instead of the process' own. */
  readonly keptGroups: readonly number[] | undefined;
  /** Added to the environment of the process. */
  readonly environment: readonly string[];
}

export interface ProcessPlan {
  /** What can fail for what a configuration asks: before the container counts as created. */
  readonly before: readonly PlanOperation[];
  /** Gives up rights and becomes the program. */
  readonly program: readonly PlanOperation[];
}

/**
 * The last steps before and including the program, common to containers and to processes that join them. A filter needs
 * either no_new_privs or CAP_SYS_ADMIN, so without the former it comes before capabilities are given up.
 */
export function planProcess(process: OciProcess, linux: OciLinux, options: ProcessPlanOptions): ProcessPlan {
  const { path, seccomp } = options;
  const args = process.args ?? [];
  const environment = variablesOf(process);
  if (args.length === 0 || args[0] === '') invalidConfig(`${path}.args`, 'expected a program');
  const uid = process.user?.uid ?? 0;
  const gid = process.user?.gid ?? 0;
  const groups = options.keptGroups ?? process.user?.additionalGids ?? [];
  const early = process.noNewPrivileges === true ? [{ op: 'no-new-privileges' } as const] : seccomp;
  const masks = capabilityMasks(process.capabilities ?? {}, `${path}.capabilities`);
  const before: PlanOperation[] = [
    { op: 'find-home', uid },
    ...(process.terminal === true ? [] : [{ op: 'stdio-owner', uid, gid } as const]),
    ...planAttributes(process, linux, path),
    { op: 'working-directory', path: process.cwd },
    { op: 'find-program', program: args[0] ?? '', search: searchPath(environment) },
  ];
  const program: PlanOperation[] = [
    { op: 'bounding', keep: masks.bounding },
    ...early,
    { op: 'identity', uid, gid, groups },
    {
      op: 'capabilities',
      effective: masks.effective,
      permitted: masks.permitted,
      inheritable: masks.inheritable,
      ambient: masks.ambient,
    },
    ...(process.noNewPrivileges === true ? seccomp : []),
    { op: 'execute', arguments: args, environment: [...environment, ...options.environment] },
  ];
  return { before, program };
}

const searchPath = (environment: readonly string[]): string =>
  environment.findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? '';

/** No set of a configuration is larger than those that it depends on. */
function capabilityMasks(sets: OciCapabilities, path: string): Record<keyof OciCapabilities, bigint> {
  const mask = (name: keyof OciCapabilities): bigint =>
    capabilityMask((sets[name] ?? []).map((each) => parseCapability(each, `${path}.${name}`)));
  return {
    bounding: mask('bounding'),
    effective: mask('effective'),
    inheritable: mask('inheritable'),
    permitted: mask('permitted'),
    ambient: mask('ambient'),
  };
}

const variablesOf = ({ env = [] }: OciProcess): readonly string[] => env;

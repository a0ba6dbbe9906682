import type { UserMaps } from '../runtime/container-spec.js';
import type { ContainerOptions } from './container-options.js';
import { invalidOption } from './invalid-option.js';
import type { NamespaceMode } from './isolation-options.js';
import { resolveUsers } from './resolve-users.js';

/** The modes that are not `private`. Other containers by what the user calls them, until {@link NamespacesConfig} has ids. */
export interface NamespacesConfig {
  readonly pid?: string;
  readonly ipc?: string;
  readonly uts?: 'host';
  readonly cgroupns?: 'host';
  readonly users?: UserMaps;
}

/** @throws EngineError `INVALID_OPTION` for an unknown mode, and for options that contradict each other. */
export function resolveNamespaces(options: ContainerOptions): { readonly namespaces?: NamespacesConfig } {
  const users = resolveUsers(options);
  const ipc = options.ipc === 'shareable' ? 'private' : (options.ipc ?? 'private');
  const modes: NamespacesConfig = {
    ...mode('pid', options.pid ?? 'private'),
    ...(ipc === 'none' ? { ipc } : mode('ipc', ipc)),
    ...plainMode('uts', options.uts ?? 'private'),
    ...plainMode('cgroupns', options.cgroupns ?? 'private'),
    ...(users && { users }),
  };
  for (const option of ['hostname', 'domainname'] as const) {
    if (modes.uts === 'host' && options[option] !== undefined)
      throw invalidOption(option, "left out with uts: 'host'", options[option]);
  }
  if (modes.ipc !== undefined && options.shmSize !== undefined)
    throw invalidOption('shmSize', "used with ipc: 'private' only", options.shmSize);
  return Object.keys(modes).length === 0 ? {} : { namespaces: modes };
}

/** The id or name in `container:…`. */
export function otherContainer(mode: string | undefined): string | undefined {
  return mode?.startsWith('container:') ? mode.slice('container:'.length) : undefined;
}

function mode<K extends 'pid' | 'ipc'>(option: K, value: NamespaceMode): { readonly [key in K]?: string } {
  if (value === 'private') return {};
  if (value === 'host' || (typeof value === 'string' && /^container:./.test(value)))
    return { [option]: value } as never;
  throw invalidOption(option, "'private', 'host' or 'container:ID'", value);
}

function plainMode<K extends 'uts' | 'cgroupns'>(
  option: K,
  value: 'private' | 'host',
): { readonly [key in K]?: 'host' } {
  if (value === 'private') return {};
  if (value === 'host') return { [option]: value } as never;
  throw invalidOption(option, "'private' or 'host'", value);
}

import { EngineError } from '../core/errors/engine-error.js';
import type { ProcessIdentity } from '../core/process-identity.js';
import type { NamespaceKind } from '../runtime/namespace-kind.js';
import { containerState } from './container-cgroup.js';
import type { ContainerConfig } from './container-config.js';
import type { ContainerServices } from './container-services.js';
import { type NamespacesConfig, otherContainer } from './resolve-namespaces.js';

/** The namespaces of a container that are not the host's, be they its own or those of others. */
export function ownNamespaces(
  modes: NamespacesConfig = {},
  network: ContainerConfig['network'],
): readonly NamespaceKind[] {
  const isHost: Partial<Record<NamespaceKind, boolean>> = {
    pid: modes.pid === 'host',
    ipc: modes.ipc === 'host',
    uts: modes.uts === 'host',
    cgroup: modes.cgroupns === 'host',
    net: network === 'host',
  };
  const others = (['mount', 'pid', 'ipc', 'uts', 'cgroup', 'net'] as const).filter((kind) => isHost[kind] !== true);
  return modes.users === undefined ? others : [...others, 'user'];
}

/** Namespaces of another container that one is to be in. */
export interface JoinedNamespace {
  readonly kind: 'pid' | 'ipc';
  /** First process of the other container. */
  readonly target: ProcessIdentity;
}

/** Finds the others, who must be running. @throws EngineError `WRONG_STATE`, `NO_SUCH_CONTAINER`. */
export async function joinedNamespaces(
  services: ContainerServices,
  { namespaces }: ContainerConfig,
): Promise<readonly JoinedNamespace[]> {
  const joined: JoinedNamespace[] = [];
  for (const kind of ['pid', 'ipc'] as const) {
    const other = otherContainer(namespaces?.[kind]);
    if (other === undefined) continue;
    const record = await services.records.resolve(other);
    const state = containerState(services, record);
    if (state.status !== 'running' && state.status !== 'paused')
      throw new EngineError('WRONG_STATE', { id: record.id, status: state.status, wanted: 'running' });
    joined.push({ kind, target: state.process });
  }
  return joined;
}

/** Names and beginnings of ids become ids: they may mean another container later. @throws EngineError `NO_SUCH_CONTAINER`. */
export async function fixNamespaces(services: ContainerServices, config: ContainerConfig): Promise<ContainerConfig> {
  const { namespaces } = config;
  if (namespaces === undefined) return config;
  const fixed: { pid?: string; ipc?: string } = {};
  for (const kind of ['pid', 'ipc'] as const) {
    const other = otherContainer(namespaces[kind]);
    if (other !== undefined) fixed[kind] = `container:${(await services.records.resolve(other)).id}`;
  }
  return { ...config, namespaces: { ...namespaces, ...fixed } };
}

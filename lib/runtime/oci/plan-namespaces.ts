import type { PlanOperation } from '../launch-plan.js';
import type { NamespaceKind } from '../namespace-kind.js';
import { invalidConfig } from './invalid-config.js';
import type { OciConfig } from './oci-config.js';
import type { OciNamespace } from './oci-linux.js';
import type { Slots } from './slots.js';

/** What becomes of each kind of namespace. */
export interface NamespacePlan {
  /** Made by clone3(2) with the child. */
  readonly cloned: readonly NamespaceKind[];
  readonly newUser: boolean;
  readonly newCgroup: boolean;
  /** Own ones, new or joined. */
  readonly own: ReadonlySet<NamespaceKind>;
  /** New ones: file systems that belong to a namespace can be mounted in these only. */
  readonly fresh: ReadonlySet<NamespaceKind>;
  readonly prepare: readonly PlanOperation[];
  /** First in the child. */
  readonly join: readonly PlanOperation[];
}

export const namespaceKind = (type: OciNamespace['type']): NamespaceKind => (type === 'network' ? 'net' : type);

/** @throws EngineError `INVALID_OCI_CONFIG` for a kind that is listed twice or makes no sense. */
export function planNamespaces(config: OciConfig, slots: Slots): NamespacePlan {
  const listed = config.linux?.namespaces ?? [];
  const kinds = listed.map(({ type }) => namespaceKind(type));
  if (new Set(kinds).size !== kinds.length) invalidConfig('config.json.linux.namespaces', 'a type is listed twice');
  const joined = listed.flatMap(({ type, path }) => (path === undefined ? [] : [{ kind: namespaceKind(type), path }]));
  const fresh = new Set(kinds.filter((kind) => !joined.some((each) => each.kind === kind)));
  const own = new Set(kinds);
  check(config, own, fresh);
  const opened = joined.map((each) => ({ ...each, slot: slots.target() }));
  const joinOperation = ({ slot, kind }: { slot: number; kind: NamespaceKind }): PlanOperation => {
    return { op: 'join-namespace', slot, kinds: [kind] };
  };
  // A joined user namespace comes first: it decides about the right to join those that it owns.
  const inChild = opened.filter(({ kind }) => kind !== 'pid');
  const ordered = [...inChild.filter(({ kind }) => kind === 'user'), ...inChild.filter(({ kind }) => kind !== 'user')];
  return {
    cloned: [...fresh].filter((kind) => kind !== 'cgroup' && kind !== 'time'),
    newUser: fresh.has('user'),
    newCgroup: fresh.has('cgroup'),
    own,
    fresh,
    prepare: [
      ...opened.map(({ slot, path, kind }) => ({ op: 'open-namespace', slot, path, kind }) as const),
      ...opened.filter(({ kind }) => kind === 'pid').map(joinOperation),
      ...(fresh.has('time') ? [{ op: 'time-namespace', offsets: timeOffsets(config) } as const] : []),
    ],
    join: ordered.map(joinOperation),
  };
}

function check(config: OciConfig, own: ReadonlySet<NamespaceKind>, fresh: ReadonlySet<NamespaceKind>): void {
  const { linux } = config;
  if (!own.has('mount')) invalidConfig('config.json.linux.namespaces', 'a mount namespace is needed');
  if (!fresh.has('user') && (linux?.uidMappings?.length || linux?.gidMappings?.length) && !own.has('user'))
    invalidConfig('config.json.linux.uidMappings', 'mappings need a user namespace');
  if (own.has('user') && !fresh.has('user') && !fresh.has('mount'))
    invalidConfig('config.json.linux.namespaces', 'a joined user namespace needs a new mount namespace');
  if (linux?.timeOffsets !== undefined && !fresh.has('time'))
    invalidConfig('config.json.linux.timeOffsets', 'offsets need a new time namespace');
  const domain = linux?.sysctl?.['kernel.domainname'];
  if (domain !== undefined && config.domainname !== undefined && domain !== config.domainname)
    invalidConfig('config.json.linux.sysctl', 'kernel.domainname contradicts the property domainname');
  for (const name of ['hostname', 'domainname'] as const)
    if (config[name] !== undefined && config[name] !== '' && !own.has('uts'))
      invalidConfig(`config.json.${name}`, 'it needs a uts namespace');
}

function timeOffsets(config: OciConfig): string {
  const { monotonic, boottime } = config.linux?.timeOffsets ?? {};
  const line = (name: string, offset: typeof monotonic): string =>
    offset === undefined ? '' : `${name} ${offset.secs ?? 0n} ${offset.nanosecs ?? 0}\n`;
  return line('monotonic', monotonic) + line('boottime', boottime);
}

import { EngineError } from '../../core/errors/engine-error.js';
import type { ChangedRoot, RootBind, RootView } from '../../layers/root-access.js';
import { containerState } from '../container-cgroup.js';
import type { ContainerRecord } from '../container-record.js';
import type { ContainerServices } from '../container-services.js';
import { renewWorkDirectory } from '../start-container.js';

/** What the engine puts into every container, and what the kernel makes up: it is not the container's. */
const notItsOwn = ['dev', 'proc', 'sys', 'etc/hosts', 'etc/hostname', 'etc/resolv.conf'];

/**
 * The root as the container sees it, with what is mounted there: to read from it. What is written to another container's root
 * meanwhile may be seen or not.
 *
 * @throws EngineError `WRONG_STATE` for a root that is not there now: in memory.
 */
export function readableView(services: ContainerServices, record: ContainerRecord): RootView {
  const state = containerState(services, record);
  // Files of a container with a user namespace belong to other ids there than in the layers.
  const isThere =
    (state.status === 'running' || state.status === 'paused') && record.config.namespaces?.users === undefined;
  if (isThere) return { kind: 'process', process: state.process };
  if (record.root.type === 'overlay' && record.root.inMemory === true)
    throw new EngineError('WRONG_STATE', { id: record.id, status: state.status, wanted: 'running' });
  return { ...rootLayers(record), binds: bindsOf(record) };
}

/**
 * The same to write to it. The caller holds the container's lock: while it does not run nobody may start it.
 *
 * @throws EngineError `WRONG_STATE` for a root that is in memory and not there now, or has users of its own and runs.
 */
export function writableView(services: ContainerServices, record: ContainerRecord): RootView {
  const { id, root, config } = record;
  const { status } = containerState(services, record);
  const isRunning = status === 'running' || status === 'paused';
  // What the host's root writes would belong to nobody inside.
  if (isRunning && config.namespaces?.users !== undefined)
    throw new EngineError('WRONG_STATE', { id, status, wanted: 'stopped, with a user namespace' });
  const view = readableView(services, record);
  if (view.kind !== 'layers' || root.type !== 'overlay') return view;
  renewWorkDirectory(root);
  return { kind: 'overlay', upper: root.upper, work: root.work, lower: root.lower, binds: view.binds };
}

const bindsOf = ({ config }: ContainerRecord): readonly RootBind[] =>
  config.mounts.flatMap(({ type, source = '', target }) => (type === 'bind' ? [{ source, target }] : []));

/** The root without anything that is mounted there, whatever the container does. */
export function rootLayers(record: ContainerRecord): Extract<RootView, { readonly kind: 'tree' | 'layers' }> {
  const { root } = record;
  if (root.type === 'bind') return { kind: 'tree', directory: root.source, binds: [] };
  return { kind: 'layers', directories: [upperOf(record), ...root.lower], binds: [] };
}

/** What it has changed in what it was made of. */
export async function changedRoot(services: ContainerServices, record: ContainerRecord): Promise<ChangedRoot> {
  const { root, image } = record;
  if (root.type === 'overlay')
    return { kind: 'overlay', directory: upperOf(record), below: root.lower, except: notItsOwn };
  if (image === undefined) throw new EngineError('NOT_COMPARABLE', { id: record.id });
  return {
    kind: 'tree',
    directory: root.source,
    below: await services.layers.trees(image.stack),
    except: notItsOwn,
  };
}

function upperOf({ id, root }: ContainerRecord): string {
  if (root.type === 'overlay' && root.inMemory !== true) return root.upper;
  throw new EngineError('NOT_COMPARABLE', { id });
}

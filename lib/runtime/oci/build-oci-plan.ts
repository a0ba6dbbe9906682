import type { LaunchPlan, PlanOperation } from '../launch-plan.js';
import type { CgroupView } from './cgroup/cgroup-view.js';
import type { OciCgroupPlan } from './cgroup/plan-oci-cgroup.js';
import { type IdMaps, idMapsOf } from './id-maps.js';
import { invalidConfig } from './invalid-config.js';
import { loopbackUp } from './loopback-up.js';
import type { OciConfig } from './oci-config.js';
import type { OciState } from './oci-state.js';
import { planDevices } from './plan-devices.js';
import { planHooks } from './plan-hooks.js';
import { planLabels, withMountLabel } from './plan-labels.js';
import { planMounts } from './plan-mounts.js';
import { planNamespaces } from './plan-namespaces.js';
import { planProcess } from './plan-process.js';
import type { SeccompPlan } from './plan-seccomp.js';
import { planSysctls } from './plan-sysctl.js';
import { createSlots, type Slots } from './slots.js';

/** What a container's plan depends on beside its configuration. */
export interface OciPlanRequest {
  readonly config: OciConfig;
  readonly state: Omit<OciState, 'pid' | 'status'>;
  /** Absolute and without links. */
  readonly rootfs: string;
  readonly cgroup: { readonly view: CgroupView; readonly plan: OciCgroupPlan };
  /** Where the shim takes orders. */
  readonly socketPath: string;
  /** The child waits for the order to start. */
  readonly waitForStart: boolean;
  /** The caller becomes the parent of the container's process. */
  readonly handOver: boolean;
  /** Path of a socket that takes the terminal, `relay` for the shim; only for processes with a terminal. */
  readonly console: { readonly socketPath: string } | 'relay';
  /** Numbers of the caller's descriptors that the program gets. */
  readonly keptDescriptors: readonly number[];
  readonly noPivot: boolean;
  /** `KEY=value` for hooks without an environment of their own. */
  readonly hostEnvironment: readonly string[];
  /** Added to the environment of the program. */
  readonly addedEnvironment: readonly string[];
  readonly keptGroups: readonly number[] | undefined;
  /** Only called when the configuration has a filter: assembling needs large tables. */
  readonly planSeccomp: (slots: Slots) => SeccompPlan;
}

/**
 * The plan that creates a container from its configuration, and starts it unless it shall wait.
 *
 * The order is that of the specification: namespaces, mounts, prestart and createRuntime hooks (on the host),
 * createContainer hooks, the pivot, then, at the start, startContainer hooks and the program.
 *
 * @throws EngineError `INVALID_OCI_CONFIG`, `INVALID_OPTION`, `UNSUPPORTED_HOST`.
 * @see OCI runtime-spec, runtime.md, "Lifecycle"
 */
export function buildOciPlan(request: OciPlanRequest): LaunchPlan {
  const config = withMountLabel(request.config);
  const { process, linux = {}, hooks = {} } = config;
  if (process === undefined) return invalidConfig('config.json.process', 'it is needed to start the container');
  const slots = createSlots();
  const namespaces = planNamespaces(config, slots);
  const joinsUser = namespaces.own.has('user') && !namespaces.newUser;
  const inUserNamespace = namespaces.own.has('user');
  const forksAgain = joinsUser && namespaces.fresh.has('pid');
  const bundle = request.state.bundle;
  const rootSlot = slots.mount();
  const mounts = planMounts({ config, bundle, namespaces, slots, cgroup: request.cgroup.view });
  const devices = planDevices(config, inUserNamespace, slots);
  const seccomp = linux.seccomp === undefined ? { prepare: [], install: [] } : request.planSeccomp(slots);
  const terminal = planTerminal(config, request, slots);
  const hook = (kind: 'prestart' | 'createRuntime' | 'createContainer' | 'startContainer') =>
    planHooks(kind, hooks, request.state, request.hostEnvironment);
  const onHost = [...hook('prestart'), ...hook('createRuntime')];
  const idMaps = idMapsOf(config);
  const program = planProcess(process, linux, {
    path: 'config.json.process',
    seccomp: seccomp.install,
    keptGroups: request.keptGroups,
    environment: request.addedEnvironment,
  });
  return {
    namespaces: joinsUser ? [] : namespaces.cloned,
    prepare: [
      ...(request.handOver ? [{ op: 'hand-over' } as const] : []),
      ...(request.keptDescriptors.length > 0
        ? [{ op: 'keep-descriptors', numbers: request.keptDescriptors } as const]
        : []),
      { op: 'listen', path: request.socketPath },
      ...request.cgroup.plan.prepare,
      ...namespaces.prepare,
      {
        op: 'make-mount',
        slot: rootSlot,
        type: '',
        source: request.rootfs,
        options: [],
        recursive: true,
        noFollow: true,
      },
      ...mounts.prepare,
      ...devices.prepare,
      ...terminal.prepare,
      ...seccomp.prepare,
    ],
    parent: [
      ...(forksAgain ? [{ op: 'await-fork' } as const] : []),
      ...(namespaces.newUser ? writeMaps(idMaps) : []),
      ...(onHost.length > 0 ? [{ op: 'await-child' } as const, ...onHost] : []),
    ],
    child: [
      ...(namespaces.newUser ? [{ op: 'sync' } as const] : []),
      ...(process.oomScoreAdj === undefined ? [] : [{ op: 'oom-score', score: process.oomScoreAdj } as const]),
      ...namespaces.join,
      ...(joinsUser ? [{ op: 'unshare', kinds: namespaces.cloned } as const] : []),
      ...(forksAgain ? [{ op: 'fork-again' } as const] : []),
      ...(namespaces.newCgroup ? [{ op: 'unshare', kinds: ['cgroup'] } as const] : []),
      { op: 'propagation', mode: firstPropagation(linux.rootfsPropagation) },
      { op: 'place-root', slot: rootSlot, path: request.rootfs },
      ...(inUserNamespace ? [{ op: 'become-root' } as const] : []),
      ...mounts.child,
      ...devices.child,
      ...(process.cwd === '/'
        ? []
        : [{ op: 'root-directory', path: process.cwd, mode: 0o755, uid: 0, gid: 0 } as const]),
      ...planHostNames(config),
      ...planSysctls(linux.sysctl ?? {}, namespaces.own),
      ...(namespaces.fresh.has('net') ? [loopbackUp()] : []),
      ...(linux.readonlyPaths ?? []).map((path) => ({ op: 'readonly-path', path }) as const),
      ...(linux.maskedPaths ?? []).map((path) => ({ op: 'mask', path }) as const),
      ...(onHost.length > 0 ? [{ op: 'ready' } as const] : []),
      { op: 'sync' },
      ...hook('createContainer'),
      { op: 'session' },
      ...terminal.child,
      ...planLabels(process),
      ...(config.root.readonly === true ? [{ op: 'readonly-root' } as const] : []),
      request.noPivot ? { op: 'change-root' } : { op: 'pivot-root' },
      ...lastPropagation(linux.rootfsPropagation),
      ...program.before,
      ...(request.waitForStart ? [{ op: 'await-start' } as const] : []),
      ...hook('startContainer'),
      ...program.program,
    ],
    cleanup: [],
  };
}

function writeMaps({ users, groups }: IdMaps): PlanOperation[] {
  return [
    { op: 'write-id-map', kind: 'uid', map: users },
    { op: 'write-id-map', kind: 'gid', map: groups },
    { op: 'release-child' },
  ];
}

function planHostNames({ hostname = '', domainname = '' }: OciConfig): PlanOperation[] {
  return [
    ...(hostname === '' ? [] : [{ op: 'hostname', name: hostname } as const]),
    ...(domainname === '' ? [] : [{ op: 'domainname', name: domainname } as const]),
  ];
}

function planTerminal(
  { process }: OciConfig,
  request: OciPlanRequest,
  slots: Slots,
): { prepare: PlanOperation[]; child: PlanOperation[] } {
  if (process?.terminal !== true) return { prepare: [], child: [] };
  const size = { columns: process.consoleSize?.width ?? 0, rows: process.consoleSize?.height ?? 0 };
  if (request.console === 'relay') return { prepare: [], child: [{ op: 'terminal', ...size }] };
  const slot = slots.target();
  return {
    prepare: [{ op: 'connect', slot, path: request.console.socketPath }],
    child: [{ op: 'console', slot, ...size }],
  };
}

type Propagation = Extract<PlanOperation, { readonly op: 'propagation' }>['mode'];

/**
 * Before the pivot the host must get nothing from us, whatever the container's root is to be: `shared` would hand every
 * mount of the container to the host.
 */
function firstPropagation(wanted: string | undefined): Propagation {
  return /private|unbindable/.test(wanted ?? '') ? 'private' : 'slave';
}

/** Default: what the first propagation has made of it. */
function lastPropagation(wanted: string | undefined): PlanOperation[] {
  if (wanted === undefined || wanted === '') return [];
  const match = /^(r?)(private|slave|shared|unbindable)$/.exec(wanted);
  if (match === null) return invalidConfig('config.json.linux.rootfsPropagation', `unknown propagation '${wanted}'`);
  return [{ op: 'propagation', mode: match[2] as Propagation, alone: match[1] === '' }];
}

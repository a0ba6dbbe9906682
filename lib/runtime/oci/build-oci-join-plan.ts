import type { ProcessIdentity } from '../../core/process-identity.js';
import type { JoinCgroup, LaunchPlan, PlanOperation } from '../launch-plan.js';
import type { NamespaceKind } from '../namespace-kind.js';
import type { OciLinux } from './oci-linux.js';
import type { OciProcess } from './oci-process.js';
import { planLabels } from './plan-labels.js';
import { planProcess } from './plan-process.js';
import type { SeccompPlan } from './plan-seccomp.js';
import { parseNumberList } from './process-attributes.js';
import { createSlots, type Slots } from './slots.js';

/** A further process of a running container. */
export interface OciJoinRequest {
  readonly target: ProcessIdentity;
  /** Namespaces of the target that are not the caller's. */
  readonly namespaces: readonly NamespaceKind[];
  readonly process: OciProcess;
  /** Of the container's configuration, what concerns each of its processes. */
  readonly linux: OciLinux;
  readonly join: readonly JoinCgroup[];
  readonly handOver: boolean;
  readonly console: { readonly socketPath: string } | 'relay';
  readonly keptDescriptors: readonly number[];
  readonly addedEnvironment: readonly string[];
  readonly planSeccomp: (slots: Slots) => SeccompPlan;
}

/** The plan of a process that joins a running container. */
export function buildOciJoinPlan(request: OciJoinRequest): LaunchPlan {
  const { process, linux, namespaces } = request;
  const slots = createSlots();
  const target = slots.target();
  const seccomp = linux.seccomp === undefined ? { prepare: [], install: [] } : request.planSeccomp(slots);
  const consoleSlot = slots.target();
  const others = namespaces.filter((kind) => kind !== 'pid');
  const affinity = process.execCPUAffinity;
  const program = planProcess(process, linux, {
    path: 'process',
    seccomp: seccomp.install,
    keptGroups: undefined,
    environment: request.addedEnvironment,
  });
  return {
    namespaces: [],
    prepare: [
      { op: 'open-process', slot: target, pid: request.target.pid, startTicks: request.target.startTicks },
      ...(request.handOver ? [{ op: 'hand-over' } as const] : []),
      ...(request.keptDescriptors.length > 0
        ? [{ op: 'keep-descriptors', numbers: request.keptDescriptors } as const]
        : []),
      ...seccomp.prepare,
      ...(process.terminal === true && request.console !== 'relay'
        ? [{ op: 'connect', slot: consoleSlot, path: request.console.socketPath } as const]
        : []),
      ...request.join,
      // setns(2) to a PID namespace is for children: the shim itself stays outside, where nobody inside can see it.
      ...(namespaces.includes('pid') ? [{ op: 'join-namespace', slot: target, kinds: ['pid'] } as const] : []),
    ],
    parent: [],
    child: [
      ...planAffinity(affinity?.initial, 'initial'),
      ...(process.oomScoreAdj === undefined ? [] : [{ op: 'oom-score', score: process.oomScoreAdj } as const]),
      ...planLabels(process),
      { op: 'sync' },
      ...(others.length > 0 ? [{ op: 'join-namespace', slot: target, kinds: others } as const] : []),
      ...(others.includes('user') ? [{ op: 'become-root' } as const] : []),
      { op: 'use-root', path: '/' },
      { op: 'session' },
      ...planTerminal(process, request.console, consoleSlot),
      ...planAffinity(affinity?.final, 'final'),
      ...program.before,
      ...program.program,
    ],
    cleanup: [],
  };
}

function planAffinity(text: string | undefined, name: string): PlanOperation[] {
  if (text === undefined || text === '') return [];
  return [{ op: 'cpu-affinity', processors: parseNumberList(text, `process.execCPUAffinity.${name}`) }];
}

function planTerminal(process: OciProcess, console: OciJoinRequest['console'], slot: number): PlanOperation[] {
  if (process.terminal !== true) return [];
  const size = { columns: process.consoleSize?.width ?? 0, rows: process.consoleSize?.height ?? 0 };
  return console === 'relay' ? [{ op: 'terminal', ...size }] : [{ op: 'console', slot, ...size }];
}

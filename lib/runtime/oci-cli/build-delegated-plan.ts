import { randomBytes } from 'node:crypto';
import { EngineError } from '../../core/errors/engine-error.js';
import { buildForeignPlan } from '../build-foreign-plan.js';
import { cleanHost } from '../build-launch-plan.js';
import type { ContainerSpec, JoinSpec, PlanPart, ProcessSpec } from '../container-spec.js';
import type { LaunchPlan, PlanOperation } from '../launch-plan.js';
import { type OciDocument, ociConfigOf, ociProcessOf, userOf } from './oci-config-of.js';

/** Another runtime, and what it needs to be called. */
export interface ExternalRuntime {
  /** Absolute path of the program. */
  readonly program: string;
  /** Of its own processes on the host. */
  readonly environment: readonly string[];
  /** A directory for the bundle and the runtime's own state of one container; nothing else is there. */
  readonly bundleOf: (id: string) => string;
  /** Mount points of the host's cgroup hierarchies. */
  readonly cgroupRoots: readonly string[];
}

/** A clean-up that takes longer has met a runtime that hangs. */
const DELETE_SECONDS = 30;

/**
 * The plan that has a runtime make a container. Cgroups with their limits, the network and the root come from this engine;
 * namespaces, mounts, rights and the program are the runtime's work.
 */
export function buildDelegatedPlan(spec: ContainerSpec, runtime: ExternalRuntime): LaunchPlan {
  const bundle = runtime.bundleOf(spec.id);
  const config = ociConfigOf(spec, cgroupsPathOf(spec.cgroup, runtime.cgroupRoots));
  const call = callOf(runtime, spec.id);
  return buildForeignPlan(spec, {
    directory: bundle,
    cgroupPrepare: withoutJoins(spec.cgroup),
    operation: delegate(runtime, spec.process, config, bundle, {
      config: `${bundle}/config.json`,
      create: (options) => [...call('create'), '--bundle', bundle, ...options, spec.id],
      start: [...call('start'), spec.id],
    }),
    cleanup: [
      {
        op: 'run-hook',
        path: runtime.program,
        // Without a log: after a pause between two runs the bundle has gone already, and that is no failure.
        arguments: [runtime.program, '--root', stateOf(bundle), 'delete', '--force', spec.id],
        environment: runtime.environment,
        timeoutSeconds: DELETE_SECONDS,
        ...{ directory: '', before: '', after: '' },
      },
      { op: 'remove-tree', path: bundle },
      ...cleanHost(spec),
    ],
  });
}

/** The plan that has a runtime execute a process in a container that it has made. */
export function buildDelegatedJoin(spec: JoinSpec, runtime: ExternalRuntime): LaunchPlan {
  const directory = `${runtime.bundleOf(spec.id)}/exec-${randomBytes(6).toString('hex')}`;
  const config = `${directory}/process.json`;
  const call = callOf(runtime, spec.id);
  return {
    namespaces: ['mount'],
    prepare: [
      { op: 'open-process', slot: 0, pid: spec.target.pid, startTicks: spec.target.startTicks },
      { op: 'make-directory', path: directory, mode: 0o700 },
      ...withoutJoins(spec.cgroup),
    ],
    parent: spec.cgroup.parent,
    child: [
      { op: 'sync' },
      { op: 'use-root', path: `/proc/${spec.target.pid}/root` },
      delegate(runtime, spec.process, ociProcessOf(spec.process), directory, {
        config,
        create: (options) => [...call('exec'), '--detach', '--process', config, ...options, spec.id],
        start: [],
      }),
    ],
    cleanup: [...spec.cgroup.cleanup, { op: 'remove-tree', path: directory }],
  };
}

const callOf =
  ({ program, bundleOf }: ExternalRuntime, id: string) =>
  (command: string): string[] => {
    const bundle = bundleOf(id);
    const log = ['--log', `${bundle}/log`, '--log-format', 'json'];
    return [program, '--root', stateOf(bundle), ...log, command];
  };

const stateOf = (bundle: string): string => `${bundle}/state`;

interface Calls {
  readonly config: string;
  readonly create: (options: readonly string[]) => readonly string[];
  readonly start: readonly string[];
}

function delegate(
  { environment }: ExternalRuntime,
  process: ProcessSpec,
  document: OciDocument,
  directory: string,
  { config, create, start }: Calls,
): PlanOperation {
  const pidFile = `${directory}/pid`;
  const consoleSocket = process.terminal === undefined ? '' : `${directory}/console`;
  const terminal = consoleSocket === '' ? [] : ['--console-socket', consoleSocket];
  const arguments_ = create(['--pid-file', pidFile, ...terminal]);
  const log = arguments_[arguments_.indexOf('--log') + 1] ?? '';
  return {
    op: 'delegate',
    ...userOf(process.user),
    ...{ config, before: document.before, after: document.after, create: arguments_, start, environment },
    ...{ pidFile, log, consoleSocket },
  };
}

/** The runtime itself puts its processes there; it refuses a group that has some. */
const withoutJoins = ({ prepare }: PlanPart): readonly PlanOperation[] =>
  prepare.filter(({ op }) => op !== 'join-cgroup');

/** @throws EngineError `UNSUPPORTED_HOST` when the group is another one in each hierarchy: the specification has one path. */
export function cgroupsPathOf({ prepare }: PlanPart, roots: readonly string[]): string | undefined {
  const paths = new Set<string>();
  for (const operation of prepare) {
    if (operation.op !== 'join-cgroup') continue;
    const root = roots.filter((each) => operation.path.startsWith(`${each}/`)).sort((a, b) => b.length - a.length)[0];
    if (root !== undefined) paths.add(operation.path.slice(root.length).replace(/\/(?:tasks|cgroup\.procs)$/, ''));
  }
  if (paths.size > 1) {
    const hint = 'use the engine’s own runtime, or run this process in the same group of all hierarchies';
    throw new EngineError('UNSUPPORTED_HOST', { missing: 'one cgroup for all controllers', hint });
  }
  return [...paths][0];
}

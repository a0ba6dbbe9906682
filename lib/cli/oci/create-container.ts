import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';
import { buildOciPlan } from '../../runtime/oci/build-oci-plan.js';
import { planOciCgroup } from '../../runtime/oci/cgroup/plan-oci-cgroup.js';
import { invalidConfig } from '../../runtime/oci/invalid-config.js';
import { decodeOciConfig, type OciConfig } from '../../runtime/oci/oci-config.js';
import type { SeccompPlan } from '../../runtime/oci/plan-seccomp.js';
import type { Slots } from '../../runtime/oci/slots.js';
import { hasErrno } from '../../util/errno.js';
import { UndoStack } from '../../util/undo-stack.js';
import {
  type ContainerRecord,
  checkContainerId,
  configCopy,
  controlSocket,
  removeRecord,
  reserveId,
  writeRecord,
} from './container-record.js';
import { removeCgroups } from './delete-container.js';
import { cgroupViewOf } from './host-cgroups.js';
import { keptDescriptors } from './kept-descriptors.js';
import type { RuntimeContext } from './runtime-context.js';
import { type ShimSession, startShim } from './shim-session.js';

export interface CreateRequest {
  readonly id: string;
  /** Default: the working directory. */
  readonly bundle: string | undefined;
  /** Relative to the bundle. Default: config.json. */
  readonly configFile: string | undefined;
  readonly consoleSocket: string | undefined;
  readonly pidFile: string | undefined;
  readonly preserveFds: number;
  readonly noPivot: boolean;
  /** `create` leaves the program waiting; `run` does not. */
  readonly waitForStart: boolean;
  /** The container outlives this command. */
  readonly detach: boolean;
}

export interface CreatedContainer {
  readonly record: ContainerRecord;
  readonly config: OciConfig;
  readonly session: ShimSession;
}

/** Creates a container from a bundle; on failure nothing is left. */
export async function createContainer(context: RuntimeContext, request: CreateRequest): Promise<CreatedContainer> {
  const id = checkContainerId(request.id);
  const bundle = realPath(request.bundle ?? '.', 'bundle');
  const configPath = resolve(bundle, request.configFile ?? 'config.json');
  const json = readText(configPath);
  const config = decodeOciConfig(json);
  const { path } = config.root;
  const rootfs = realPath(isAbsolute(path) ? path : join(bundle, path), 'root.path');
  if (config.process?.terminal === true && request.detach && request.consoleSocket === undefined)
    invalidConfig('config.json.process.terminal', 'use --console-socket with a terminal and a detached container');
  const view = cgroupViewOf(context, config, id);
  const cgroup = planOciCgroup(view, config.linux?.resources ?? {});
  const state = {
    ociVersion: config.ociVersion,
    id,
    bundle,
    ...(config.annotations && { annotations: config.annotations }),
  };
  const inherited = Number(process.env['LISTEN_FDS'] ?? 0) || 0;
  const kept = keptDescriptors(request.preserveFds + inherited);
  const undo = new UndoStack();
  reserveId(context, id);
  undo.defer(() => removeRecord(context, id));
  try {
    const record: ContainerRecord = {
      version: 1,
      ...state,
      rootfs,
      created: new Date().toISOString(),
      pid: 0,
      startTicks: '0',
      started: false,
      owner: process.env['USER'] ?? 'root',
      cgroup: { version: view.version, path: view.path, directories: cgroup.directories },
    };
    writeFileSync(configCopy(context, id), json, { mode: 0o600 });
    writeRecord(context, record);
    const plan = buildOciPlan({
      config,
      state,
      rootfs,
      cgroup: { view, plan: cgroup },
      socketPath: controlSocket(context, id),
      waitForStart: request.waitForStart,
      handOver: request.detach,
      console: request.consoleSocket === undefined ? 'relay' : { socketPath: resolve(request.consoleSocket) },
      keptDescriptors: kept,
      noPivot: request.noPivot,
      hostEnvironment: Object.entries(process.env).map(([key, value]) => `${key}=${value ?? ''}`),
      addedEnvironment: inherited > 0 ? [`LISTEN_FDS=${inherited}`, 'LISTEN_PID=1'] : [],
      keptGroups: keepsGroups(config) ? (process.getgroups?.() ?? []) : undefined,
      planSeccomp: await seccompPlanner(config, state),
    });
    undo.defer(() => removeCgroups(record));
    const session = await startShim(plan, kept);
    undo.defer(() => session.signal(9));
    const { pid, startTicks } = session.identity;
    const created = { ...record, pid, startTicks: String(startTicks), started: !request.waitForStart };
    writeRecord(context, created);
    if (request.pidFile !== undefined) writeFileSync(request.pidFile, String(pid));
    undo.commit();
    return { record: created, config, session };
  } catch (error) {
    return undo.fail(error);
  }
}

const keepsGroups = ({ annotations = {} }: OciConfig): boolean => {
  return (annotations['run.oci.keep_original_groups'] ?? '0') !== '0';
};

/** The tables of system calls are large: they are loaded for a container that has a filter. */
export async function seccompPlanner(
  { linux, annotations = {} }: Pick<OciConfig, 'linux' | 'annotations'>,
  state: Parameters<typeof import('../../runtime/oci/plan-seccomp.js').planSeccomp>[1],
): Promise<(slots: Slots) => SeccompPlan> {
  const seccomp = linux?.seccomp;
  if (seccomp === undefined) return () => ({ prepare: [], install: [] });
  const { planSeccomp } = await import('../../runtime/oci/plan-seccomp.js');
  const { seccompArchitecture } = await import('../../runtime/seccomp/architecture.js');
  const strict = (annotations['run.oci.seccomp_fail_unknown_syscall'] ?? '0') !== '0';
  return (slots) => planSeccomp(seccomp, state, seccompArchitecture(process.arch), slots, strict);
}

function realPath(path: string, what: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    return invalidConfig(what, `${path}: no such file or directory`);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error)
      throw new EngineError('INVALID_OCI_CONFIG', { path, reason: error.message });
    throw error;
  }
}

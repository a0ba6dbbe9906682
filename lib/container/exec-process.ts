import type { Abortable } from '../core/abortable.js';
import { mergeEnvironment } from '../core/environment.js';
import { EngineError } from '../core/errors/engine-error.js';
import type { ProcessIdentity } from '../core/process-identity.js';
import { parseUser } from '../core/user.js';
import type { CgroupPlan } from '../runtime/cgroup/cgroup.js';
import { joinOfDelegated } from '../runtime/cgroup/delegate-groups.js';
import { enterGroups } from '../runtime/cgroup/enter-groups.js';
import { emptyPart, type JoinSpec, type PlanPart } from '../runtime/container-spec.js';
import type { LaunchedProcess } from '../runtime/launcher.js';
import { readProcess } from '../util/read-process.js';
import { buildProcessSpec } from './build-process-spec.js';
import { cgroupFiles, containerCgroup, containerState } from './container-cgroup.js';
import { limitsMark } from './container-limits.js';
import { ownNamespaces } from './container-namespaces.js';
import type { ExecOptions } from './container-options.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import { resolveSecurity } from './resolve-security.js';
import { checkSize } from './stdio-config.js';
import type { TerminalSize } from './stdio-options.js';

export interface ExecProcessOptions extends ExecOptions, Abortable {
  /** A terminal of this size as stdin, stdout and stderr. Default: none. */
  readonly tty?: TerminalSize;
  /** Default `null`. */
  readonly stdin?: 'null' | 'pipe';
}

const SIGKILL = 9;
/** @see proc(5), /proc/PID/stat, "state" */
const ENDED: readonly string[] = ['Z', 'X'];

/**
 * Starts a further process in a running container, with the container's rights, limits and namespaces.
 *
 * @param groups How it enters its cgroups. Default: those of the container.
 * @throws EngineError `WRONG_STATE`, `INVALID_OPTION`, and what {@link Launcher.launch} throws.
 */
export async function execProcess(
  services: ContainerServices,
  record: ContainerRecord,
  command: readonly string[],
  options: ExecProcessOptions = {},
  groups?: PlanPart,
): Promise<LaunchedProcess> {
  const { id, config } = record;
  const state = containerState(services, record);
  if (state.status !== 'running') throw new EngineError('WRONG_STATE', { id, status: state.status, wanted: 'running' });
  if (!Array.isArray(command) || command.length === 0 || command[0] === '') {
    throw new EngineError('INVALID_OPTION', { option: 'command', expected: 'a program', got: JSON.stringify(command) });
  }
  if (!command.every((word) => typeof word === 'string' && !word.includes('\0'))) {
    throw new EngineError('INVALID_OPTION', { option: 'command', expected: 'words without NUL', got: 'another word' });
  }
  const user = options.user ?? config.user;
  parseUser(user);
  const mark = limitsMark(services, record);
  const cgroup = containerCgroup(services, record); // the same groups as the container's
  const rights = options.privileged === true ? { ...config, ...resolveSecurity({ privileged: true }) } : config;
  const base = buildProcessSpec(rights, services.host, cgroup.enforcesDevices);
  const spec: JoinSpec = {
    kind: 'join',
    id,
    target: state.process,
    namespaces: ownNamespaces(config.namespaces, config.network),
    cgroup: groups ?? { ...emptyPart, prepare: await joinOf(services, record, cgroup, state.process) },
    process: {
      ...base,
      arguments: command,
      environment: mergeEnvironment({ image: config.environment, option: options.env, tty: options.tty !== undefined }),
      workingDirectory: checkDirectory(options.workingDir ?? config.workingDir),
      user: { kind: 'named', user, groups: config.groups },
      terminal: options.tty === undefined ? undefined : checkSize(options.tty),
    },
  };
  const launching = services.launcher.launch({
    spec,
    stdin: options.tty === undefined ? (options.stdin ?? 'null') : 'pipe',
    output: 'pipe',
    terminal: options.tty !== undefined,
    lifetime: 'owner',
    durable: false,
    ...(cgroup.files.oomKills !== undefined && { oomFile: cgroup.files.oomKills }),
    signal: options.signal,
  });
  const process = await launching.catch((error: unknown) => explainEnd(id, state.process, error));
  if (limitsMark(services, record) !== mark) await followUpdate(services, record, cgroup, process);
  return process;
}

/** Whatever a process could not join is gone with the container's first process, also before its supervisor has said so. */
async function explainEnd(id: string, { pid, startTicks }: ProcessIdentity, error: unknown): Promise<never> {
  if (!EngineError.is(error, 'LAUNCH_FAILED')) throw error;
  const first = await readProcess(pid, 0);
  if (first?.startTicks === startTicks && !ENDED.includes(first.state)) throw error;
  throw new EngineError('WRONG_STATE', { id, status: 'exited', wanted: 'running' }, { cause: error });
}

async function joinOf(
  { cgroupControl }: ContainerServices,
  { config }: ContainerRecord,
  cgroup: CgroupPlan,
  { pid }: ProcessIdentity,
): Promise<CgroupPlan['join']> {
  if (config.writableCgroups !== true) return cgroup.join;
  return joinOfDelegated(cgroup, (await cgroupControl.readText(`/proc/${pid}/cgroup`)) ?? '');
}

/** An update may have put the container into further groups while the process was on its way into the old ones. */
async function followUpdate(
  services: ContainerServices,
  record: ContainerRecord,
  before: CgroupPlan,
  process: LaunchedProcess,
): Promise<void> {
  const joined = before.join.map(({ path }) => path);
  const added = containerCgroup(services, record).join.map(({ path }) => path);
  try {
    const missing = added.filter((path) => !joined.includes(path));
    await enterGroups(cgroupFiles(services, record), missing, services.cgroupControl);
  } catch (error) {
    process.signal(SIGKILL);
    throw error;
  }
}

function checkDirectory(path: string): string {
  if (path.startsWith('/') && !path.includes('\0')) return path;
  throw new EngineError('INVALID_OPTION', { option: 'workingDir', expected: 'an absolute path', got: path });
}

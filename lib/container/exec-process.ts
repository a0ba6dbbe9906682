import type { Abortable } from '../core/abortable.js';
import { mergeEnvironment } from '../core/environment.js';
import { EngineError } from '../core/errors/engine-error.js';
import { parseUser } from '../core/user.js';
import { buildJoinPlan } from '../runtime/build-launch-plan.js';
import { emptyPart } from '../runtime/container-spec.js';
import type { LaunchedProcess } from '../runtime/launcher.js';
import { containerNamespaces } from './build-container-spec.js';
import { buildProcessSpec } from './build-process-spec.js';
import { containerFiles, readState } from './container-files.js';
import type { ExecOptions } from './container-options.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import { checkSize } from './stdio-config.js';
import type { TerminalSize } from './stdio-options.js';

export interface ExecProcessOptions extends ExecOptions, Abortable {
  /** A terminal of this size as stdin, stdout and stderr. Default: none. */
  readonly tty?: TerminalSize;
  /** Default `null`. */
  readonly stdin?: 'null' | 'pipe';
}

/**
 * Starts a further process in a running container, with the container's rights, limits and namespaces.
 *
 * @throws EngineError `WRONG_STATE`, `INVALID_OPTION`, and what {@link Launcher.launch} throws.
 */
export async function execProcess(
  services: ContainerServices,
  record: ContainerRecord,
  command: readonly string[],
  options: ExecProcessOptions = {},
): Promise<LaunchedProcess> {
  const { id, config } = record;
  const state = readState(containerFiles(services.layout, id));
  if (state.status !== 'running') throw new EngineError('WRONG_STATE', { id, status: state.status, wanted: 'running' });
  if (!Array.isArray(command) || command.length === 0 || command[0] === '') {
    throw new EngineError('INVALID_OPTION', { option: 'command', expected: 'a program', got: JSON.stringify(command) });
  }
  if (!command.every((word) => typeof word === 'string' && !word.includes('\0'))) {
    throw new EngineError('INVALID_OPTION', { option: 'command', expected: 'words without NUL', got: 'another word' });
  }
  const user = options.user ?? config.user;
  parseUser(user);
  const cgroup = services.cgroups.plan({ id, resources: config.resources }); // the same groups as the container's
  const process = buildProcessSpec(config, services.host, cgroup.enforcesDevices);
  const plan = buildJoinPlan({
    target: state.process,
    namespaces: containerNamespaces({ namespace: config.network === 'host' ? 'host' : 'new' }),
    cgroup: { ...emptyPart, prepare: cgroup.join },
    process: {
      ...process,
      arguments: command,
      environment: mergeEnvironment({ image: config.environment, option: options.env, tty: options.tty !== undefined }),
      workingDirectory: checkDirectory(options.workingDir ?? config.workingDir),
      user: { kind: 'named', user, groups: config.groups },
      terminal: options.tty === undefined ? undefined : checkSize(options.tty),
    },
  });
  return services.launcher.launch({
    plan,
    stdin: options.tty === undefined ? (options.stdin ?? 'null') : 'pipe',
    output: 'pipe',
    terminal: options.tty !== undefined,
    lifetime: 'owner',
    durable: false,
    signal: options.signal,
  });
}

function checkDirectory(path: string): string {
  if (path.startsWith('/') && !path.includes('\0')) return path;
  throw new EngineError('INVALID_OPTION', { option: 'workingDir', expected: 'an absolute path', got: path });
}

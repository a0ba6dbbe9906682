import { statSync } from 'node:fs';
import { posix } from 'node:path';
import { resolveCommandLine } from '../core/command-line.js';
import { mergeEnvironment } from '../core/environment.js';
import type { ImageConfig } from '../core/image-config.js';
import { parseSignal } from '../core/signal.js';
import { parseBytes } from '../core/units.js';
import { parseUser } from '../core/user.js';
import { hostsFile } from '../network/hosts-file.js';
import { parsePortMappings } from '../network/port-mapping.js';
import { parseCgroupParent } from '../runtime/cgroup/cgroup-path.js';
import { defaultShmBytes } from '../runtime/default-security.js';
import { LONGEST_TIMER_MS } from '../util/longest-timer.js';
import type { ContainerConfig } from './container-config.js';
import { ownNamespaces } from './container-namespaces.js';
import type { ContainerOptions, MountOption } from './container-options.js';
import { resolveHealthcheck } from './health/healthcheck-option.js';
import { resolveRootfs } from './host-rootfs.js';
import { invalidOption } from './invalid-option.js';
import { resolveDevices } from './resolve-devices.js';
import { resolveNamespaces } from './resolve-namespaces.js';
import { resolveResources } from './resolve-resources.js';
import { resolveRestart } from './resolve-restart.js';
import { resolveSecurity } from './resolve-security.js';
import { resolveSysctls } from './resolve-sysctls.js';
import { resolveTmpfs } from './resolve-tmpfs.js';
import { resolveStdio } from './stdio-config.js';
import { parseUlimits } from './ulimits.js';

const DEFAULT_STOP_TIMEOUT_MS = 10_000;
const SIGTERM = 15;

/**
 * What a container will be: the options over the image's configuration over the defaults. Everything is checked here,
 * so that bad input fails before anything exists.
 *
 * @throws EngineError `INVALID_OPTION`, `INVALID_NAME`, `INVALID_PORT_MAPPING`.
 */
export function resolveConfig(
  id: string,
  options: ContainerOptions,
  image: Pick<ImageConfig, 'config'>,
): ContainerConfig {
  const run = image.config ?? {};
  const hostname = checkHostname(options.hostname ?? id.slice(0, 12));
  const user = options.user ?? run.User ?? '';
  parseUser(user);
  const stdio = resolveStdio(options);
  const namespaces = resolveNamespaces(options);
  const network = oneOf(options.network ?? 'bridge', ['bridge', 'host', 'none'], 'network');
  const stopSignal = options.stopSignal ?? run.StopSignal;
  return {
    arguments: resolveCommandLine({
      image: { entrypoint: run.Entrypoint, cmd: run.Cmd },
      entrypoint: options.entrypoint,
      command: options.command,
    }),
    environment: mergeEnvironment({ image: run.Env, option: options.env, hostname, tty: stdio.tty !== undefined }),
    workingDir: absolute(options.workingDir ?? (run.WorkingDir || '/'), 'workingDir'),
    user,
    groups: (options.groupAdd ?? []).map((group) => checkGroup(group)),
    hostname,
    ...(options.domainname !== undefined && { domainname: checkHostname(options.domainname, 'domainname') }),
    labels: { ...run.Labels, ...options.labels },
    network,
    ports: parsePortMappings(options.ports ?? []),
    extraHosts: checkExtraHosts(options.extraHosts ?? []),
    mounts: [
      ...(options.mounts ?? []).map((mount, index) => checkMount(mount, `mounts[${index}]`)),
      ...resolveTmpfs(options.tmpfs),
    ],
    readonlyRoot: options.readonly ?? false,
    shmBytes: parseBytes(options.shmSize ?? defaultShmBytes, 'shmSize'),
    ...resolveSecurity(options),
    ...resolveDevices(options),
    ...resolveRootfs(options.rootfs),
    ...namespaces,
    ...(options.cgroupParent !== undefined && { cgroupParent: parseCgroupParent(options.cgroupParent).join('/') }),
    ...resolveSysctls(options.sysctls, ownNamespaces(namespaces.namespaces, network)),
    ...(options.init === true && { init: true }),
    resources: resolveResources(options),
    ulimits: parseUlimits(options.ulimits),
    ...(options.oomScoreAdj !== undefined && { oomScoreAdj: range(options.oomScoreAdj, -1000, 1000, 'oomScoreAdj') }),
    stopSignal: stopSignal === undefined || stopSignal === '' ? SIGTERM : parseSignal(stopSignal, 'stopSignal'),
    stopTimeoutMs: range(options.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS, 0, LONGEST_TIMER_MS, 'stopTimeoutMs'),
    lifetime: oneOf(options.lifetime ?? 'owner', ['owner', 'detached'], 'lifetime'),
    ...resolveRestart(options.restart),
    ...resolveHealthcheck(options.healthcheck, run),
    stdio,
  };
}

/** Whether the host can be reached is known at the start only; the form is checked now. */
function checkExtraHosts(extraHosts: readonly string[]): readonly string[] {
  hostsFile({ hostname: '', addresses: [], extraHosts, hostGateway: '127.0.0.1' });
  return extraHosts;
}

function checkMount(mount: MountOption, option: string): ContainerConfig['mounts'][number] {
  if (typeof mount !== 'object' || mount === null) throw invalidOption(option, 'a mount', String(mount));
  if (!['boolean', 'undefined'].includes(typeof Reflect.get(mount, 'readonly'))) {
    throw invalidOption(`${option}.readonly`, 'true or false', String(Reflect.get(mount, 'readonly')));
  }
  const target = posix.normalize(absolute(mount.target, `${option}.target`));
  if (target === '/') throw invalidOption(`${option}.target`, 'a path below /', target);
  if (mount.type === 'bind') {
    const source = absolute(mount.source, `${option}.source`);
    return {
      type: 'bind',
      source,
      target,
      readonly: mount.readonly ?? false,
      isFile: isFile(source, `${option}.source`),
    };
  }
  if (mount.type !== 'tmpfs')
    throw invalidOption(`${option}.type`, "'bind' or 'tmpfs'", String((mount as MountOption).type));
  const size = mount.size === undefined ? undefined : parseBytes(mount.size, `${option}.size`);
  return {
    type: 'tmpfs',
    target,
    mode: range(mount.mode ?? 0o1777, 0, 0o7777, `${option}.mode`),
    ...(size !== undefined && { sizeBytes: size }),
  };
}

function isFile(source: string, option: string): boolean {
  try {
    return !statSync(source).isDirectory();
  } catch (error) {
    // Missing, a link that leads nowhere or in circles, a file where a directory should be.
    throw invalidOption(
      option,
      'a path that exists on the host',
      `${source} (${(error as NodeJS.ErrnoException).code})`,
    );
  }
}

/** RFC 1123 as the kernel has it: up to 64 bytes. */
function checkHostname(hostname: string, option = 'hostname'): string {
  if (/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/.test(hostname)) return hostname;
  throw invalidOption(option, 'letters, digits, dots and hyphens, at most 64', hostname);
}

function checkGroup(group: string): string {
  if (group !== '' && !group.includes(':')) parseUser(`0:${group}`, 'groupAdd');
  else throw invalidOption('groupAdd', 'the name or number of a group', group);
  return group;
}

function absolute(path: string, option: string): string {
  if (typeof path === 'string' && path.startsWith('/') && !path.includes('\0') && path.length < 4096) return path;
  throw invalidOption(option, 'an absolute path', String(path));
}

function range(value: number, min: number, max: number, option: string): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalidOption(option, `a whole number from ${min} to ${max}`, String(value));
}

function oneOf<const T extends string>(value: T, allowed: readonly T[], option: string): T {
  if (allowed.includes(value)) return value;
  throw invalidOption(option, `one of ${allowed.join(', ')}`, String(value));
}

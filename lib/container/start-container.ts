import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import type { RootMount } from '../core/mount.js';
import { hostsFile } from '../network/hosts-file.js';
import type { Endpoint } from '../network/network-driver.js';
import { resolvConf } from '../network/resolv-conf.js';
import type { HostFile } from '../runtime/container-spec.js';
import type { LaunchedProcess } from '../runtime/launcher.js';
import type { RestartRequest } from '../runtime/restart-policy.js';
import { toFileError } from '../util/file-error.js';
import { UndoStack } from '../util/undo-stack.js';
import { awaitSettled } from './await-process.js';
import { buildContainerSpec } from './build-container-spec.js';
import { launchOrRestore } from './checkpoint/launch-or-restore.js';
import { restoredProcesses } from './checkpoint/restored-processes.js';
import { containerCgroup, containerState } from './container-cgroup.js';
import { type ContainerFiles, containerFiles, stopFile } from './container-files.js';
import { joinedNamespaces } from './container-namespaces.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices, LiveContainer } from './container-services.js';
import { removeCgroups } from './remove-cgroups.js';
import { startStdio } from './start-stdio.js';

export interface StartOptions extends Abortable {
  /** Default: streams are as the container's options say. With pipes the caller has them. */
  readonly pipes?: { readonly stdin: 'null' | 'pipe' };
  /** The supervisor removes the container's files at its end, whether or not this process still lives. */
  readonly removeAtEnd?: boolean;
  /** Instead of its program, the processes of this checkpoint go on. */
  readonly checkpoint?: string | undefined;
}

const PORT_ATTEMPTS = 5;

/**
 * Starts a recorded container: connects it, writes its files, launches it.
 *
 * @throws EngineError `WRONG_STATE` while it runs; what the network, the cgroups and the launcher throw. After a
 * failure the container is what it was before.
 */
export async function startContainer(
  services: ContainerServices,
  record: ContainerRecord,
  options: StartOptions = {},
): Promise<LiveContainer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryStart(services, record, options);
    } catch (error) {
      // A free port was chosen for us, and another program was faster to take it.
      const chosen = record.config.ports.some((port) => port.hostPort === 0);
      if (!chosen || attempt === PORT_ATTEMPTS || !EngineError.is(error, 'PORT_TAKEN')) throw error;
    }
  }
}

async function tryStart(
  services: ContainerServices,
  record: ContainerRecord,
  options: StartOptions,
): Promise<LiveContainer> {
  const { id, config } = record;
  const files = containerFiles(services.layout, id);
  if (!existsSync(files.directory)) throw new EngineError('NO_SUCH_CONTAINER', { reference: id });
  const { status } = containerState(services, record);
  if (status !== 'created' && status !== 'exited')
    throw new EngineError('WRONG_STATE', { id, status, wanted: 'created or exited' });
  await awaitSettled(services.live.get(id)); // an earlier run still gives back its address

  const undo = new UndoStack();
  try {
    mkdirSync(files.runDirectory, { recursive: true, mode: 0o700 }); // RUN is new after a reboot
    forgetEarlierRun(files, undo);
    const root = renewWorkDirectory(record.root);
    const endpoint = await attach(services, record, files, options, undo);
    const cgroup = containerCgroup(services, record);
    const { layout, host } = services;
    const all = [{ path: files.runDirectory }, { path: files.directory, trash: layout.trash(id) }];
    const removeAtEnd = options.removeAtEnd === true ? all : [];
    const etc = etcFiles(services, record, endpoint, files);
    const joined = await joinedNamespaces(services, config);
    const sources = { record, root, layout, host, cgroup, endpoint, files: etc, removeAtEnd, joined };
    const { checkpoint } = options;
    if (checkpoint !== undefined) await services.checkpointer.check(options);
    const restored = checkpoint === undefined ? undefined : restoredProcesses(services, record, checkpoint);
    const spec = buildContainerSpec({ ...sources, restored });
    const stdio = startStdio(services, record, options);
    if (config.restart !== undefined && config.lifetime === 'detached') markStarted(files, undo);
    const process = await launchOrRestore(services, record, restored, {
      spec,
      ...stdio.request,
      lifetime: config.lifetime,
      processFile: files.process,
      exitFile: config.lifetime === 'owner' ? files.runExit : files.exit,
      durable: config.lifetime === 'detached',
      restart: options.pipes === undefined ? restartRequest(services, record, files) : undefined,
      journal: services.events.journal(record),
      ...(cgroup.files.oomKills !== undefined && { oomFile: cgroup.files.oomKills }),
      signal: options.signal,
    });
    undo.commit();
    const live = track(services, record, process, stdio.started(process));
    if (options.pipes === undefined) services.health.started(services, record, live);
    return live;
  } catch (error) {
    return undo.fail(toFileError(error, files.directory));
  }
}

async function attach(
  services: ContainerServices,
  record: ContainerRecord,
  files: ContainerFiles,
  options: StartOptions,
  undo: UndoStack,
): Promise<Endpoint> {
  const driver = services.networks.get(record.config.network);
  if (driver === undefined) throw new EngineError('NO_SUCH_NETWORK', { reference: record.config.network });
  const endpoint = await driver.attach({
    containerId: record.id,
    hostname: record.config.hostname,
    ports: record.config.ports,
    runDirectory: files.runDirectory,
    signal: options.signal,
  });
  undo.defer(() => driver.detach(record.id));
  return endpoint;
}

/** A failed start leaves the records of the run before it as they were. */
function forgetEarlierRun(files: ContainerFiles, undo: UndoStack): void {
  const { process, exit, runExit, stopped, runStopped, restarts, limitsPlan } = files;
  for (const path of [process, exit, runExit, stopped, runStopped, restarts, limitsPlan]) {
    if (!existsSync(path)) {
      undo.defer(() => rmSync(path, { force: true }));
      continue;
    }
    const earlier = readFileSync(path);
    undo.defer(() => writeFileSync(path, earlier, { mode: 0o600 }));
    rmSync(path);
  }
}

/** After a reboot this tells a container that was started from one that never was. */
function markStarted({ started }: ContainerFiles, undo: UndoStack): void {
  if (existsSync(started)) return;
  undo.defer(() => rmSync(started, { force: true }));
  writeFileSync(started, '', { mode: 0o600, flush: true });
}

function restartRequest(
  services: ContainerServices,
  record: ContainerRecord,
  files: ContainerFiles,
): RestartRequest | undefined {
  const { lifetime, restart } = record.config;
  return (
    restart && {
      policy: restart.policy === 'on-failure' ? 'on-failure' : 'always',
      maxRetries: restart.maxRetries,
      stopFile: stopFile(files, lifetime),
      restartFile: files.restarts,
      onExit: (exit, delayMs) => services.events.restarting(record, exit, delayMs),
      onStart: (identity) => {
        services.events.restarted(record, identity);
        services.health.wake(record.id);
      },
    }
  );
}

/** Overlay wants an empty one for each mount, and a volatile overlay refuses to be mounted a second time over the old. */
export function renewWorkDirectory(root: RootMount): RootMount {
  if (root.type === 'overlay' && root.inMemory !== true && readdirSync(root.work).length > 0) {
    rmSync(root.work, { recursive: true, force: true });
    mkdirSync(root.work, { mode: 0o700 });
  }
  return root;
}

function etcFiles(
  services: ContainerServices,
  record: ContainerRecord,
  endpoint: Endpoint,
  files: ContainerFiles,
): readonly HostFile[] {
  const { hostname, extraHosts } = record.config;
  const usesHostNetwork = endpoint.namespace === 'host';
  const addresses = endpoint.addresses.map(({ address }) => address);
  const hostGateway = usesHostNetwork ? '127.0.0.1' : endpoint.addresses[0]?.gateway;
  const hosts = hostsFile({ hostname, addresses, extraHosts, hostGateway });
  const servers = services.readResolvConf();
  return [
    { path: files.hostname, mode: 0o644, content: `${hostname}\n` },
    { path: files.hosts, mode: 0o644, content: hosts },
    { path: files.resolvConf, mode: 0o644, content: usesHostNetwork ? servers : resolvConf({ host: servers }) },
  ];
}

/** Remembers the process, and gives back what the start has reserved as soon as it has ended. */
function track(
  services: ContainerServices,
  record: ContainerRecord,
  process: LaunchedProcess,
  logged: Promise<void>,
): LiveContainer {
  const settle = async (): Promise<void> => {
    try {
      await process.released;
      live.cgroupsGone = true;
    } catch (error) {
      if (!EngineError.is(error, 'SHIM_FAILED')) throw error;
      await removeCgroups(services, record); // somebody has killed the supervisor, and with it the container
    } finally {
      await services.networks.get(record.config.network)?.detach(record.id);
      await logged;
    }
  };
  const settled = Promise.resolve().then(settle);
  settled.catch(() => undefined); // whoever waits for it sees the failure: stop, remove, run
  const live: LiveContainer = { process, settled, cgroupsGone: false };
  services.live.set(record.id, live);
  services.events.started(record, process);
  return live;
}

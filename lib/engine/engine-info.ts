import { readFileSync } from 'node:fs';
import { hostname, release, totalmem } from 'node:os';
import { containerState } from '../container/container-cgroup.js';
import type { ContainerStatus } from '../container/container-state.js';
import type { CgroupHost, Controller } from '../runtime/cgroup/cgroup-host.js';
import { isMissing } from '../util/file-error.js';
import { packageVersion } from '../util/package-version.js';
import type { EngineServices } from './services.js';

/** What an engine is, where it keeps things, and what its host offers. */
export interface EngineInfo {
  readonly version: string;
  readonly root: string;
  readonly runRoot: string;
  /** How images are stored: `overlay`, `erofs` or `copy`. */
  readonly layerStore: string;
  /** Networks that containers can have. */
  readonly networks: readonly string[];
  readonly cgroups: EngineCgroups;
  /** By state; `total` includes those that are damaged. */
  readonly containers: Readonly<Record<ContainerStatus | 'damaged' | 'total', number>>;
  /** Each once, whatever names it has. */
  readonly images: number;
  readonly host: {
    readonly hostname: string;
    /** As /etc/os-release has it; `Linux` without. */
    readonly operatingSystem: string;
    readonly kernelVersion: string;
    /** As Go and Docker name it: `amd64`, `arm64`. */
    readonly architecture: string;
    /** Processors that the host can have. */
    readonly processors: number;
    readonly memoryBytes: number;
  };
  /** What containers cannot have on this host, in words for people. */
  readonly warnings: readonly string[];
}

/** What limits containers here. */
export interface EngineCgroups {
  /** `none`: no limit can be set. */
  readonly version: 'v1' | 'v2' | 'none';
  /** v1 with an empty hierarchy of v2 beside it. */
  readonly hybrid: boolean;
  readonly controllers: readonly Controller[];
  /** Swap can be limited. */
  readonly swap: boolean;
}

/** Versions, for reports of faults. */
export interface EngineVersion {
  readonly version: string;
  readonly nodeVersion: string;
  readonly kernelVersion: string;
  readonly os: string;
  /** As Go and Docker name it: `amd64`, `arm64`. */
  readonly architecture: string;
}

export function engineVersion({ images }: EngineServices): EngineVersion {
  const { os, architecture } = images.platform;
  const { node } = process.versions;
  return { version: packageVersion(), nodeVersion: node, kernelVersion: release(), os, architecture };
}

export async function engineInfo(services: EngineServices): Promise<EngineInfo> {
  const { containers, images, layout } = services;
  const cgroups = describeCgroups(containers.host.cgroups);
  const { version, kernelVersion, architecture } = engineVersion(services);
  return {
    version,
    root: layout.root,
    runRoot: layout.run,
    layerStore: images.layers.kind,
    networks: [...containers.networks.keys()],
    cgroups,
    containers: await countContainers(services),
    images: new Set((await images.images.list()).map(({ id }) => id)).size,
    host: {
      hostname: hostname(),
      operatingSystem: operatingSystem(),
      kernelVersion,
      architecture,
      processors: containers.host.processors.length,
      memoryBytes: totalmem(),
    },
    warnings: warningsOf(cgroups, containers.host.cgroups),
  };
}

async function countContainers({ containers }: EngineServices): Promise<EngineInfo['containers']> {
  const { records, damaged } = await containers.records.survey();
  const counts = { created: 0, running: 0, paused: 0, restarting: 0, exited: 0 };
  for (const record of records) counts[containerState(containers, record).status] += 1;
  return { ...counts, damaged: damaged.length, total: records.length + damaged.length };
}

function describeCgroups(host: CgroupHost): EngineCgroups {
  if (host.version === 'none') return { version: 'none', hybrid: false, controllers: [], swap: false };
  if (host.version === 'v2') return { version: 'v2', hybrid: false, controllers: host.controllers, swap: host.swap };
  const controllers = Object.keys(host.hierarchies) as Controller[];
  return { version: 'v1', hybrid: host.hybrid, controllers, swap: host.swap };
}

const usual: readonly (readonly [Controller, Controller, string])[] = [
  ['memory', 'memory', 'memory cannot be limited'],
  ['cpu', 'cpu', 'processor time cannot be limited'],
  ['cpuset', 'cpuset', 'containers cannot be bound to processors'],
  ['pids', 'pids', 'the number of processes cannot be limited'],
  ['blkio', 'io', 'block I/O cannot be limited'],
];

function warningsOf({ version, controllers, swap }: EngineCgroups, host: CgroupHost): readonly string[] {
  if (host.version === 'none') return [`nothing can be limited: ${host.reason}`];
  const missing = usual.flatMap(([v1, v2, text]) => (controllers.includes(version === 'v1' ? v1 : v2) ? [] : [text]));
  return swap ? missing : [...missing, 'swap cannot be limited'];
}

/** @see os-release(5) */
function operatingSystem(): string {
  try {
    return /^PRETTY_NAME=(["']?)(.*)\1$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[2] ?? 'Linux';
  } catch (error) {
    if (isMissing(error)) return 'Linux';
    throw error;
  }
}

import { join } from 'node:path';
import { Attachments } from '../container/attachments.js';
import { ContainerRecords } from '../container/container-records.js';
import type { ContainerServices, HostFacts } from '../container/container-services.js';
import { ExitRecords } from '../container/exit-records.js';
import { HealthMonitors } from '../container/health/health-monitors.js';
import { imageUseOf } from '../container/image-use.js';
import { SeccompFilters } from '../container/seccomp-filters.js';
import { MemoryContentStore } from '../content/memory/memory-content-store.js';
import { hostPlatform } from '../core/platform.js';
import { Engine } from '../engine/engine.js';
import { EngineEventHub } from '../engine/engine-events.js';
import { EventJournal } from '../engine/events/event-journal.js';
import { prepareRoot } from '../engine/prepare-root.js';
import type { EngineServices } from '../engine/services.js';
import { collectContent } from '../image/collect-content.js';
import { commitImage } from '../image/commit-image.js';
import { ImageRecords } from '../image/image-records.js';
import type { ImageServices } from '../image/image-services.js';
import { pullImage } from '../image/pull-image.js';
import type { Kernel } from '../kernel/kernel.js';
import { MemoryKernel } from '../kernel/memory/memory-kernel.js';
import type { LayerStore } from '../layers/layer-store.js';
import { createMemoryLayerStore } from '../layers/memory/memory-layer-store.js';
import { createMemoryRootAccess } from '../layers/memory/memory-root-access.js';
import { createHostNetworkDriver } from '../network/host/host-network-driver.js';
import { createMemoryNetworkDriver } from '../network/memory/memory-network-driver.js';
import type { NetworkDriver } from '../network/network-driver.js';
import { createNoneNetworkDriver } from '../network/none/none-network-driver.js';
import { DirectoryStorage } from '../registry/directory-storage/directory-storage.js';
import { MemoryRegistryClient } from '../registry/memory/memory-registry-client.js';
import { StaticCredentialSource } from '../registry/memory/static-credential-source.js';
import type { RegistryClient } from '../registry/registry-client.js';
import { allCapabilities, capabilityMask } from '../runtime/capabilities.js';
import type { CgroupHost } from '../runtime/cgroup/cgroup-host.js';
import { MemoryCgroups } from '../runtime/cgroup/memory/memory-cgroups.js';
import type { Checkpointer } from '../runtime/checkpointer.js';
import type { PlanOperation } from '../runtime/launch-plan.js';
import type { Launcher } from '../runtime/launcher.js';
import { MemoryCheckpointer } from '../runtime/memory/memory-checkpointer.js';
import { MemoryLauncher } from '../runtime/memory/memory-launcher.js';
import type { MemoryProgram } from '../runtime/memory/memory-program.js';
import { seccompArchitecture } from '../runtime/seccomp/architecture.js';
import { OpenWork } from '../util/open-work.js';
import { SharedLock } from '../util/shared-lock.js';
import { startTicksOf } from '../util/start-ticks.js';

/** What an engine on fakes is made of. */
export interface MemoryEngineOptions {
  /** Directory for records, which are real files. */
  readonly root: string;
  /** Default: `run` below `root`. */
  readonly runRoot?: string;
  /** What containers can run, by the first word of the command. */
  readonly programs?: Readonly<Record<string, MemoryProgram | 'not executable'>>;
  /** Engines that share a root must share it: it has their locks. Default: a {@link MemoryKernel}. */
  readonly kernel?: Kernel;
  /** Replaces the {@link MemoryLauncher} on which `programs` run. */
  readonly launcher?: Launcher;
  /** Default: a {@link MemoryCheckpointer} that has no criu. */
  readonly checkpointer?: Checkpointer;
  /** The host's control groups. Default: {@link MemoryCgroups} that take every limit. */
  readonly cgroups?: MemoryCgroups;
  /** Default: an empty {@link MemoryRegistryClient}. */
  readonly registry?: RegistryClient;
  /** Default: an empty memory store. */
  readonly layers?: LayerStore;
  /** Default: an empty {@link MemoryContentStore}. */
  readonly content?: MemoryContentStore;
  /** The network `bridge`. Default: a fake that gives out addresses and ports. */
  readonly bridge?: NetworkDriver;
}

/**
 * An engine whose containers are functions: everything that it decides is real, nothing needs root, a registry or the
 * kernel. For tests of programs that use an engine.
 *
 * @throws EngineError `UNKNOWN_VERSION` for a root of another version.
 */
export async function openMemoryEngine(options: MemoryEngineOptions): Promise<Engine> {
  const events = new EngineEventHub();
  return Engine.assemble(memoryServices(options, events), events);
}

/** The services of {@link openMemoryEngine}, for tests of single use cases. */
export function memoryServices(options: MemoryEngineOptions, events = new EngineEventHub()): EngineServices {
  const kernel = options.kernel ?? new MemoryKernel();
  const layout = prepareRoot({ root: options.root, runRoot: options.runRoot ?? join(options.root, 'run') });
  const contentLockPath = join(layout.locks(), 'content');
  const contentLock = new SharedLock(kernel, contentLockPath);
  const records = new ContainerRecords(layout);
  const journal = new EventJournal(layout.events(), kernel);
  events.open(journal);
  const content = options.content ?? new MemoryContentStore();
  const registryLinks = new DirectoryStorage({
    directory: layout.registry(),
    content,
    hold: (work) => contentLock.hold(undefined, work),
    removeUnused: async () => void (await collectContent(images)),
    now: Date.now,
  });
  const images: ImageServices = {
    content,
    layers: options.layers ?? createMemoryLayerStore(),
    registry: options.registry ?? new MemoryRegistryClient(),
    images: new ImageRecords(layout.images()),
    locker: kernel,
    holdContent: (signal, work) => contentLock.hold(signal, work),
    contentLock: contentLockPath,
    namesLock: join(layout.locks(), 'names'),
    pinnedContent: () => registryLinks.digests(),
    tell: events.image,
    platform: hostPlatform(),
    now: () => new Date(),
    usedByContainers: async () => (await records.list()).flatMap((record) => imageUseOf(layout, record)),
  };
  return {
    layout,
    images,
    containers: {
      ...containerServices(options, images),
      layout,
      kernel,
      records,
      exits: new ExitRecords(layout),
      events,
    },
    contentLock,
    journal,
    registryLinks,
    credentials: new StaticCredentialSource({}),
    teardownNetworks: async () => undefined,
    searchPath: '',
  };
}

function containerServices(
  options: MemoryEngineOptions,
  images: ImageServices,
): Omit<ContainerServices, 'layout' | 'kernel' | 'records' | 'exits' | 'events'> {
  const bridge = options.bridge ?? createMemoryNetworkDriver();
  const cgroups = options.cgroups ?? new MemoryCgroups();
  const execute = (operation: PlanOperation): undefined => void cgroups.execute(operation);
  return {
    layers: images.layers,
    rootAccess: createMemoryRootAccess(),
    commitImage: (request) => commitImage(images, request),
    launcher: options.launcher ?? new MemoryLauncher({ programs: options.programs ?? {}, execute }),
    checkpointer: options.checkpointer ?? new MemoryCheckpointer(),
    cgroups: cgroups.manager,
    cgroupControl: cgroups.control,
    networks: new Map([
      ['bridge', bridge],
      ['host', createHostNetworkDriver()],
      ['none', createNoneNetworkDriver()],
    ]),
    host: hostFacts(cgroups.host),
    live: new Map(),
    own: new Set(),
    attachments: new Attachments(),
    health: new HealthMonitors(),
    logWriters: new Map(),
    work: new OpenWork('engine'),
    readResolvConf: () => 'nameserver 192.0.2.53\n',
    findImage: (reference) => images.images.search(reference),
    pullImage: (reference, pullOptions) => pullImage(images, reference, pullOptions),
    holdContent: images.holdContent,
    now: images.now,
  };
}

function hostFacts(cgroups: CgroupHost): HostFacts {
  const { pid, arch } = process;
  return {
    cgroups,
    seccomp: new SeccompFilters(seccompArchitecture(arch)),
    processors: [0],
    availableCapabilities: capabilityMask(allCapabilities),
    self: { pid, startTicks: startTicksOf(pid) ?? 0n },
  };
}

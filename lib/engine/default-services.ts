import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Attachments } from '../container/attachments.js';
import { ContainerRecords } from '../container/container-records.js';
import type { ContainerServices, HostFacts } from '../container/container-services.js';
import { ExitRecords } from '../container/exit-records.js';
import { HealthMonitors } from '../container/health/health-monitors.js';
import { imageUseOf } from '../container/image-use.js';
import { FsContentStore } from '../content/fs/fs-content-store.js';
import { EngineError } from '../core/errors/engine-error.js';
import { hostPlatform } from '../core/platform.js';
import type { StorageLayout } from '../core/storage-layout.js';
import { collectContent } from '../image/collect-content.js';
import { commitImage } from '../image/commit-image.js';
import { ImageRecords } from '../image/image-records.js';
import type { ImageServices } from '../image/image-services.js';
import { pullImage } from '../image/pull-image.js';
import type { Kernel } from '../kernel/kernel.js';
import { KoffiKernel } from '../kernel/koffi/koffi-kernel.js';
import { openCopyLayerStore } from '../layers/copy/copy-layer-store.js';
import type { LayerStore } from '../layers/layer-store.js';
import { erofsProblem } from '../layers/overlay/erofs-problem.js';
import { openOverlayLayerStore } from '../layers/overlay/overlay-layer-store.js';
import { createShimRootAccess } from '../layers/shim/shim-root-access.js';
import { type BridgeNetworkDriver, createBridgeNetworkDriver } from '../network/bridge/bridge-network-driver.js';
import { createHostNetworkDriver } from '../network/host/host-network-driver.js';
import { createNoneNetworkDriver } from '../network/none/none-network-driver.js';
import { DirectoryStorage } from '../registry/directory-storage/directory-storage.js';
import { createCgroupManager } from '../runtime/cgroup/create-cgroup-manager.js';
import { fsCgroupControl } from '../runtime/cgroup/fs-cgroup-control.js';
import { fsCgroupFileAccess } from '../runtime/cgroup/fs-cgroup-file-access.js';
import { CriuCheckpointer } from '../runtime/criu/criu-checkpointer.js';
import { isMissing } from '../util/file-error.js';
import { acquireFileLock } from '../util/file-lock.js';
import { OpenWork } from '../util/open-work.js';
import { SharedLock } from '../util/shared-lock.js';
import { defaultLauncher } from './default-launcher.js';
import { openRegistries } from './default-registries.js';
import type { EngineEventHub } from './engine-events.js';
import type { EngineOptions } from './engine-options.js';
import { EventJournal } from './events/event-journal.js';
import { prepareRoot } from './prepare-root.js';
import { overlayProblem, probeHost } from './probe-host.js';
import type { EngineServices } from './services.js';
import { shimPaths } from './shim-paths.js';

/** Puts an engine together: the only file that names adapters. Options replace any of them. */
export async function defaultServices(options: EngineOptions, events: EngineEventHub): Promise<EngineServices> {
  const kernel = loadKernel();
  const host = await probeHost(kernel, fsCgroupFileAccess);
  const layout = prepareRoot(options);
  const layers = options.layers ?? (await openLayers(options, layout, kernel));
  const contentLockPath = join(layout.locks(), 'content');
  const contentLock = new SharedLock(kernel, contentLockPath);
  const bridge = openBridge(layout, kernel);
  const records = new ContainerRecords(layout);
  const journal = new EventJournal(layout.events(), kernel);
  events.open(journal);
  const content = new FsContentStore(layout.content(), kernel);
  await content.sweep();
  const { registry, credentials } = openRegistries(options);
  const registryLinks = new DirectoryStorage({
    directory: layout.registry(),
    content,
    hold: (work) => contentLock.hold(undefined, work),
    removeUnused: async () => void (await collectContent(images)),
    now: Date.now,
  });
  const images: ImageServices = {
    content,
    layers,
    registry,
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
    containers: containerServices(options, { layout, kernel, host, layers, bridge, records, images, events }),
    contentLock,
    journal,
    registryLinks,
    credentials,
    teardownNetworks: async () => void (await bridge.teardownIfUnused()),
    searchPath: process.env['PATH'] ?? '',
  };
}

interface Parts {
  readonly layout: StorageLayout;
  readonly kernel: Kernel;
  readonly host: HostFacts;
  readonly layers: LayerStore;
  readonly bridge: BridgeNetworkDriver;
  readonly records: ContainerRecords;
  readonly images: ImageServices;
  readonly events: EngineEventHub;
}

function containerServices(options: EngineOptions, parts: Parts): ContainerServices {
  const { layout, kernel, host, layers, bridge, records, images, events } = parts;
  const drivers = [bridge, createHostNetworkDriver(), createNoneNetworkDriver(), ...(options.networks ?? [])];
  return {
    layout,
    kernel,
    layers,
    rootAccess: createShimRootAccess(shimPaths()[0] ?? '', layout.rootTarget()),
    commitImage: (request) => commitImage(images, request),
    launcher: defaultLauncher(options, kernel, layout),
    checkpointer: options.checkpointer ?? new CriuCheckpointer(options.criu),
    cgroups: createCgroupManager(host.cgroups, { cgroupParent: options.cgroupParent }),
    cgroupControl: fsCgroupControl,
    networks: new Map(drivers.map((driver) => [driver.name, driver])),
    records,
    exits: new ExitRecords(layout),
    host,
    live: new Map(),
    own: new Set(),
    attachments: new Attachments(),
    health: new HealthMonitors(),
    logWriters: new Map(),
    work: new OpenWork('engine'),
    events,
    readResolvConf: () => readOptional('/etc/resolv.conf'),
    findImage: (reference) => images.images.search(reference),
    pullImage: (reference, pullOptions) => pullImage(images, reference, pullOptions),
    holdContent: images.holdContent,
    now: images.now,
  };
}

function loadKernel(): Kernel {
  try {
    return new KoffiKernel();
  } catch (cause) {
    const hint = 'install the package with its optional dependencies, which carry koffi for this platform';
    throw new EngineError('UNSUPPORTED_HOST', { missing: 'a working koffi', hint }, { cause });
  }
}

async function openLayers(options: EngineOptions, layout: StorageLayout, kernel: Kernel): Promise<LayerStore> {
  const wanted = options.layerStore ?? 'auto';
  const problem = wanted === 'copy' ? 'copies were asked for' : overlayProblem(kernel, layout.root);
  if (wanted !== 'auto' && wanted !== 'copy' && problem !== undefined) {
    throw new EngineError('UNSUPPORTED_HOST', { missing: `overlay: ${problem}`, hint: "use layerStore 'copy'" });
  }
  const [shimPath = ''] = shimPaths();
  const store = {
    directory: layout.layers(),
    shimPath,
    acquireLock: (path: string, lock?: object) => acquireFileLock(kernel, path, lock),
  };
  if (problem !== undefined) return openCopyLayerStore(store);
  if (wanted !== 'erofs') return openOverlayLayerStore(store);
  const directory = join(layout.layers(), 'erofs'); // the other stores look for trees
  const missing = await erofsProblem(shimPath, directory);
  if (missing === undefined) return openOverlayLayerStore({ ...store, directory, indexed: true });
  const hint = "it takes Linux 6.15 with EROFS on files; use layerStore 'overlay'";
  throw new EngineError('UNSUPPORTED_HOST', { missing: `indexed layers: ${missing}`, hint });
}

function openBridge(layout: StorageLayout, kernel: Kernel): BridgeNetworkDriver {
  return createBridgeNetworkDriver({
    kernel,
    root: layout.root,
    directory: join(layout.networks(), 'bridge'),
    slowNetlink: (protocol, request) => kernel.netlinkSlow(protocol, request),
    lock: {
      withLock: async (path, work) => {
        const lock = await acquireFileLock(kernel, path);
        try {
          return await work();
        } finally {
          await lock.release();
        }
      },
    },
  });
}

function readOptional(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

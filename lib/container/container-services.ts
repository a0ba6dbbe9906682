import type { ExitStatus } from '../core/exit-status.js';
import type { ProcessIdentity } from '../core/process-identity.js';
import type { StorageLayout } from '../core/storage-layout.js';
import type { CommitRequest } from '../image/commit-image.js';
import type { Image } from '../image/image.js';
import type { ImageRecord } from '../image/image-record.js';
import type { PullOptions } from '../image/pull-image.js';
import type { Kernel } from '../kernel/kernel.js';
import type { LayerStore } from '../layers/layer-store.js';
import type { RootAccess } from '../layers/root-access.js';
import type { NetworkDriver } from '../network/network-driver.js';
import type { CgroupManager } from '../runtime/cgroup/cgroup.js';
import type { CgroupControl } from '../runtime/cgroup/cgroup-control.js';
import type { CgroupHost } from '../runtime/cgroup/cgroup-host.js';
import type { CgroupResources } from '../runtime/cgroup/resources.js';
import type { Checkpointer } from '../runtime/checkpointer.js';
import type { LaunchedProcess, Launcher } from '../runtime/launcher.js';
import type { ProcessJournal } from '../runtime/process-journal.js';
import type { OpenWork } from '../util/open-work.js';
import type { Attachments } from './attachments.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerRecords } from './container-records.js';
import type { ExitRecords } from './exit-records.js';
import type { ContainerHealth } from './health/container-health.js';
import type { SeccompFilters } from './seccomp-filters.js';
import type { LogWriter } from './stdio-options.js';

/** What is known of the host, found out once when the engine is opened. */
export interface HostFacts {
  readonly cgroups: CgroupHost;
  readonly seccomp: SeccompFilters;
  /** Numbers of the possible processors. */
  readonly processors: readonly number[];
  /** Capabilities that this process may hand out, as a mask. */
  readonly availableCapabilities: bigint;
  /** This process. */
  readonly self: ProcessIdentity;
}

/** What happened to a container. */
export interface ContainerEventSink {
  /** Where a supervisor tells starts and ends of the container. */
  readonly journal: (record: ContainerRecord) => ProcessJournal | undefined;
  readonly created: (record: ContainerRecord) => void;
  /** A signal is about to be sent to it. */
  readonly killed: (record: ContainerRecord, signal: string) => void;
  /** It was asked to end, and has ended. */
  readonly stopped: (record: ContainerRecord) => void;
  readonly committed: (record: ContainerRecord, imageId: string) => void;
  readonly removed: (record: ContainerRecord) => void;
  readonly started: (record: ContainerRecord, process: LaunchedProcess) => void;
  /** A run has ended, and its supervisor starts the container again after so many milliseconds. */
  readonly restarting: (record: ContainerRecord, exit: ExitStatus, delayMs: number) => void;
  readonly restarted: (record: ContainerRecord, process: ProcessIdentity) => void;
  /** A function that should get the log did not get all of it. */
  readonly logFailed: (record: ContainerRecord, error: unknown) => void;
  readonly paused: (record: ContainerRecord) => void;
  readonly unpaused: (record: ContainerRecord) => void;
  readonly updated: (record: ContainerRecord, resources: CgroupResources) => void;
  readonly renamed: (record: ContainerRecord, oldName: string) => void;
  /** Its health has another status. */
  readonly healthChanged: (record: ContainerRecord, health: ContainerHealth) => void;
  /** Its health could not be found out or noted. */
  readonly healthFailed: (record: ContainerRecord, error: unknown) => void;
}

/** Who probes the containers that have a health check. */
export interface HealthWatch {
  /** Looks for detached containers of which nobody takes care, now and every few seconds. */
  open(services: ContainerServices): void;
  /** This engine has started a container. */
  started(services: ContainerServices, record: ContainerRecord, live: LiveContainer): void;
  /** Something has happened to a container: it goes on after a pause, or runs again. */
  wake(id: string): void;
  /** Ends the probes of a container that is to be removed. */
  forget(id: string): Promise<void>;
  close(): Promise<void>;
}

/** What the use cases of containers work with. */
export interface ContainerServices {
  readonly layout: StorageLayout;
  readonly kernel: Kernel;
  readonly layers: LayerStore;
  readonly rootAccess: RootAccess;
  readonly launcher: Launcher;
  readonly checkpointer: Checkpointer;
  readonly cgroups: CgroupManager;
  readonly cgroupControl: CgroupControl;
  readonly networks: ReadonlyMap<string, NetworkDriver>;
  readonly records: ContainerRecords;
  readonly exits: ExitRecords;
  readonly host: HostFacts;
  /** Containers that this engine has started, by id, until they are removed. */
  readonly live: Map<string, LiveContainer>;
  /** Ids of containers of lifetime `owner` that this engine has made and not removed. */
  readonly own: Set<string>;
  readonly events: ContainerEventSink;
  readonly attachments: Attachments;
  readonly health: HealthWatch;
  /** Functions that get the logs of containers which this engine has made, by id. */
  readonly logWriters: Map<string, LogWriter>;
  /** Everything that the engine's end must end. */
  readonly work: OpenWork;
  /** The host's /etc/resolv.conf, read at each start since it may change. */
  readonly readResolvConf: () => string;
  readonly findImage: (reference: string) => Promise<ImageRecord | undefined>;
  readonly pullImage: (reference: string, options: PullOptions) => Promise<ImageRecord>;
  readonly commitImage: (request: CommitRequest) => Promise<Image>;
  /** Marks content as needed while a container of it is being made. */
  readonly holdContent: <T>(signal: AbortSignal | undefined, work: () => Promise<T>) => Promise<T>;
  readonly now: () => Date;
}

/** A container whose supervisor talks to this process. */
export interface LiveContainer {
  readonly process: LaunchedProcess;
  /** Settles when the container has ended and everything of this start was given back. */
  readonly settled: Promise<void>;
  /** Its supervisor has removed the cgroups. */
  cgroupsGone: boolean;
}

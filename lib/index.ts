export type { AttachOptions } from './container/attach-options.js';
export { AttachedStreams } from './container/attached-streams.js';
export type { CheckpointOptions } from './container/checkpoint/checkpoint-container.js';
export type { Checkpoints, RestoreOptions } from './container/checkpoint/checkpoints.js';
export type { CheckpointInfo } from './container/checkpoint/list-checkpoints.js';
export type { CommandResult } from './container/command-result.js';
export type { ContainerHost } from './container/container.js';
export { Container } from './container/container.js';
export type { ConfiguredMount, ContainerConfig } from './container/container-config.js';
export type { ContainerDiskUsage, ContainersDiskUsage } from './container/container-disk-usage.js';
export type { ContainerFilters, OneOrMore } from './container/container-filters.js';
export type {
  BindMount,
  BufferedOptions,
  ContainerOptions,
  ContainerSettings,
  DeviceRate,
  ExecOptions,
  MountOption,
  ResourceOptions,
  TmpfsMount,
  Ulimit,
  UlimitName,
} from './container/container-options.js';
export { ContainerProcess } from './container/container-process.js';
export type { DamagedRecord } from './container/container-records.js';
export type { ContainerState, ContainerStatus } from './container/container-state.js';
export type { ContainerStats } from './container/container-stats.js';
export type { Containers, ListContainersOptions } from './container/containers.js';
export type { ExecProcessOptions } from './container/exec-process.js';
export type { CommitOptions } from './container/files/commit-container.js';
export type { CopyOptions } from './container/files/copy-from.js';
export type { CopySource, FileContent } from './container/files/copy-into.js';
export type { StatsOptions } from './container/follow-stats.js';
export type { ContainerHealth, HealthProbe } from './container/health/container-health.js';
export type { HealthcheckConfig, HealthcheckOption } from './container/health/healthcheck-option.js';
export type { RootfsConfig, RootfsOption } from './container/host-rootfs.js';
export type { ContainerInspection } from './container/inspect-container.js';
export type {
  DeviceMapping,
  IsolationOptions,
  NamespaceMode,
  PrivilegeOptions,
  UserNamespaceOption,
} from './container/isolation-options.js';
export type { LogLine } from './container/log-lines.js';
export type { LogOptions } from './container/log-options.js';
export type { PruneContainersOptions, PrunedContainers } from './container/prune-containers.js';
export type { RemoveOptions } from './container/remove-container.js';
export type { ConfiguredDevice, DevicesConfig } from './container/resolve-devices.js';
export type { NamespacesConfig } from './container/resolve-namespaces.js';
export type { RestartConfig, RestartOption } from './container/resolve-restart.js';
export type { SecurityConfig } from './container/resolve-security.js';
export type { RunOptions } from './container/run-container.js';
export type { StdioConfig } from './container/stdio-config.js';
export type { LogFileOptions, LogWriter, StdioOptions, TerminalSize } from './container/stdio-options.js';
export type { StopOptions } from './container/stop-container.js';
export { type BridgeOptions, bridgeTerminal } from './container/terminal/bridge-terminal.js';
export type { ProcessInfo } from './container/top-container.js';
export type { ResourceLimit } from './container/ulimits.js';
export type { UpdateOptions } from './container/update-container.js';
export type { RunWaitOptions, WaitCondition, WaitOptions } from './container/wait-options.js';
export type { Abortable } from './core/abortable.js';
export type { Descriptor } from './core/descriptor.js';
export type { Digest } from './core/digest.js';
export type {
  ContainerEvent,
  ContainerEventDetail,
  ContainerEventSubject,
  EngineEvent,
  ImageEvent,
  ImageEventAction,
} from './core/engine-event.js';
export type { EnvironmentOption } from './core/environment.js';
export { EngineError, type ErrorCode, type ErrorData } from './core/errors/engine-error.js';
export type { ErrorKind } from './core/errors/error-definition.js';
export type { ExitStatus } from './core/exit-status.js';
export type { ImageHealthcheck, ImageRunConfig } from './core/image-config.js';
export type { RootMount } from './core/mount.js';
export type { Platform } from './core/platform.js';
export type { ProcessIdentity } from './core/process-identity.js';
export type { Reference } from './core/reference.js';
export type { DiskUsage } from './engine/disk-usage.js';
export { Engine } from './engine/engine.js';
export type { EngineEventListener, EngineEventName, EngineEvents } from './engine/engine-events.js';
export type { EngineCgroups, EngineInfo, EngineVersion } from './engine/engine-info.js';
export type { EngineOptions } from './engine/engine-options.js';
export type { EventFilters, EventOptions } from './engine/events/event-options.js';
export { serveRegistry } from './engine/serve-registry.js';
export type { RegistryListenOptions, ServeRegistryOptions } from './engine/serve-registry-options.js';
export type { CommitImageOptions } from './image/commit-image.js';
export type { ImageHost } from './image/image.js';
export { Image } from './image/image.js';
export type { ImageDiskUsage, ImagesDiskUsage } from './image/image-disk-usage.js';
export type { ImageFilters } from './image/image-filters.js';
export type { ImageHistoryEntry } from './image/image-history.js';
export type { ImageStartConfig, ImageStartHealthcheck } from './image/image-start-config.js';
export type { Images } from './image/images.js';
export type { ImportOptions } from './image/import-image.js';
export type { ImageInspection } from './image/inspect-image.js';
export type { ListImagesOptions } from './image/list-images.js';
export type { LoadOptions, LoadSource } from './image/load-images.js';
export type { LoadProgress, OnLoadProgress } from './image/load-progress.js';
export type { FromHostOptions } from './image/pack-host-image.js';
export type { PrunedImages, PruneImagesOptions } from './image/prune-images.js';
export type { PullOptions } from './image/pull-image.js';
export type { OnPullProgress, PullProgress } from './image/pull-progress.js';
export type { PushOptions, PushResult } from './image/push-image.js';
export type { OnPushProgress, PushProgress } from './image/push-progress.js';
export type { RemovedImage, RemoveImageOptions } from './image/remove-image.js';
export type { SaveOptions, SaveTarget } from './image/save-images.js';
export type { SearchOptions } from './image/search-images.js';
export type {
  ApplyOptions,
  LayerSource,
  LayerStore,
  MountPoint,
  PrepareOptions,
  StackPart,
  StackUsage,
} from './layers/layer-store.js';
export type { PathStatus, RootChange } from './layers/root-access.js';
export type { InterfaceCounters } from './network/interface-counters.js';
export type { AttachRequest, Endpoint, EndpointAddress, NetworkDriver } from './network/network-driver.js';
export type { PortMapping } from './network/port-mapping.js';
export type { Credential, CredentialSource, CredentialStore } from './registry/credential-source.js';
export type { LoginCredential, LoginResult } from './registry/login.js';
export type { RegistryAccess, RegistryAction, RegistryAuth } from './registry/registry-access.js';
export type {
  FetchedBlob,
  FetchedManifest,
  OpenBlob,
  PushBlobOptions,
  PushedBlob,
  RegistryBrowser,
  RegistryClient,
  RegistryReader,
  RegistryRequestOptions,
  RegistrySearchOptions,
  RegistrySearchResult,
  RegistryWriter,
} from './registry/registry-client.js';
export type { OnRegistryNotice, RegistryNotice } from './registry/registry-notice.js';
export type { RegistryOptions } from './registry/registry-options.js';
export type { RegistryServer } from './registry/registry-server.js';
export type { Attachment, AttachmentEnd, AttachmentRequest, AttachmentStart } from './runtime/attachment.js';
export type { BlockDeviceValue } from './runtime/cgroup/block-device-limit.js';
export type { DeviceRule } from './runtime/cgroup/device-rules.js';
export type { BlockDeviceStats, BlockIoCounters, BlockIoStats } from './runtime/cgroup/read-block-io.js';
export type { CgroupStats, PidsStats } from './runtime/cgroup/read-cgroup-stats.js';
export type { CpuStats, CpuThrottling } from './runtime/cgroup/read-cpu-stats.js';
export type { MemoryStats } from './runtime/cgroup/read-memory-stats.js';
export type { CgroupResources, HugepageLimit } from './runtime/cgroup/resources.js';
export {
  type Checkpointer,
  DumpFailure,
  type DumpRequest,
  type OutsideResources,
  type RestoreCommand,
  type RestoreRequest,
} from './runtime/checkpointer.js';
export type {
  ContainerSpec,
  HostFile,
  IdMapping,
  JoinSpec,
  LaunchSpec,
  PlanPart,
  ProcessSpec,
  RestoredProcesses,
  SpecFilter,
  SpecUser,
  UserMaps,
} from './runtime/container-spec.js';
export type {
  DeviceFilter,
  DiscardTree,
  HostOperation,
  JoinCgroup,
  KillGroup,
  LaunchPlan,
  MakeDirectory,
  MakeFile,
  MountAttribute,
  MountOperation,
  NamespaceOperation,
  Netlink,
  NodeOperation,
  Own,
  PlanOperation,
  ProcessOperation,
  RemoveDirectory,
  RemoveTree,
  ReservePort,
  RootOperation,
  SavedOperations,
  ThawOnKill,
  WriteFile,
  WriteValues,
} from './runtime/launch-plan.js';
export type { LaunchedProcess, Launcher, LaunchOptions, LaunchRequest, ServedOutput } from './runtime/launcher.js';
export type { LogTarget } from './runtime/log-files.js';
export type { NamespaceKind } from './runtime/namespace-kind.js';
export type { ProcessJournal } from './runtime/process-journal.js';
export type { RestartPolicy, RestartRequest } from './runtime/restart-policy.js';
export type {
  SeccompAction,
  SeccompCondition,
  SeccompFlag,
  SeccompOperator,
  SeccompProfile,
  SeccompRule,
} from './runtime/seccomp/profile.js';
export type {
  AttributeOperation,
  Delegate,
  JoinOperation,
  ListenOperation,
  RendezvousOperation,
  Revive,
  RunHook,
  SetupOperation,
  SlotMountOperation,
} from './runtime/setup-operation.js';

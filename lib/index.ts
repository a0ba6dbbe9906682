export type { CommandResult } from './container/command-result.js';
export { Container } from './container/container.js';
export type {
  BindMount,
  BufferedOptions,
  ContainerOptions,
  ContainerSettings,
  ExecOptions,
  MountOption,
  PrivilegeOptions,
  ResourceOptions,
  TmpfsMount,
  Ulimit,
  UlimitName,
} from './container/container-options.js';
export { ContainerProcess } from './container/container-process.js';
export type { ContainerStatus } from './container/container-state.js';
export type { Containers } from './container/containers.js';
export type { ExecProcessOptions, TerminalSize } from './container/exec-process.js';
export type { ContainerInspection } from './container/inspect-container.js';
export type { LogLine } from './container/log-lines.js';
export type { LogOptions } from './container/read-logs.js';
export type { RemoveOptions } from './container/remove-container.js';
export type { RunOptions } from './container/run-container.js';
export type { StopOptions } from './container/stop-container.js';
export type { Abortable } from './core/abortable.js';
export type { EnvironmentOption } from './core/environment.js';
export { EngineError, type ErrorCode, type ErrorData } from './core/errors/engine-error.js';
export type { ErrorKind } from './core/errors/error-definition.js';
export type { ExitStatus } from './core/exit-status.js';
export type { ImageRunConfig } from './core/image-config.js';
export type { Platform } from './core/platform.js';
export { Engine } from './engine/engine.js';
export type { EngineEventListener, EngineEventName, EngineEvents } from './engine/engine-events.js';
export type { EngineOptions } from './engine/engine-options.js';
export { Image } from './image/image.js';
export type { Images } from './image/images.js';
export type { FromHostOptions } from './image/pack-host-image.js';
export type { PullOptions } from './image/pull-image.js';
export type { OnPullProgress, PullProgress } from './image/pull-progress.js';
export type { LayerStore } from './layers/layer-store.js';
export type { EndpointAddress, NetworkDriver } from './network/network-driver.js';
export type { PortMapping } from './network/port-mapping.js';
export type { Credential, CredentialSource } from './registry/credential-source.js';
export type { RegistryClient } from './registry/registry-client.js';
export type { Launcher } from './runtime/launcher.js';
export type { SeccompProfile } from './runtime/seccomp/profile.js';

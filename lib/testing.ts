/**
 * For tests: waiting until containers are ready, services that depend on each other, and clean-up by any test runner. Also
 * fakes of every port, an engine made of them, and the contract suites that adapters must pass. The suites are written for
 * `node:test`; importing this runs nothing.
 *
 * @module
 */
export type {
  BlobInfo,
  BlobSource,
  BlobWriter,
  ContentStore,
  IngestOptions,
  ReadOptions,
} from './content/content-store.js';
export { MemoryContentStore } from './content/memory/memory-content-store.js';
export type { Kernel } from './kernel/kernel.js';
export { type KernelCall, MemoryKernel } from './kernel/memory/memory-kernel.js';
export type { DecompressOptions } from './layers/compression/decompress.js';
export {
  createMemoryLayerStore,
  type MemoryFile,
  type MemoryLayerStore,
  type MemoryLayerStoreOptions,
} from './layers/memory/memory-layer-store.js';
export type {
  ChangedRoot,
  CopyInOptions,
  PackOptions,
  PathOptions,
  PathStatus,
  RootAccess,
  RootBind,
  RootChange,
  RootView,
} from './layers/root-access.js';
export { createMemoryNetworkDriver } from './network/memory/memory-network-driver.js';
export { MemoryRegistryClient } from './registry/memory/memory-registry-client.js';
export { StaticCredentialSource } from './registry/memory/static-credential-source.js';
export type { Controller } from './runtime/cgroup/cgroup-host.js';
export { MemoryCgroups, type MemoryCgroupsOptions } from './runtime/cgroup/memory/memory-cgroups.js';
export type { Checkpointer } from './runtime/checkpointer.js';
export type { Launcher } from './runtime/launcher.js';
export { MemoryCheckpointer, type MemoryCheckpointerOptions } from './runtime/memory/memory-checkpointer.js';
export {
  type MemoryLaunch,
  MemoryLauncher,
  type MemoryLauncherOptions,
  type OperationFailure,
} from './runtime/memory/memory-launcher.js';
export type { MemoryProcessContext, MemoryProgram } from './runtime/memory/memory-program.js';
export { type ContentStoreSubject, contentStoreContract } from './testing/contracts/content-store-contract.js';
export { type KernelFixture, kernelContract, type TakenPort } from './testing/contracts/kernel-contract.js';
export { launcherContract } from './testing/contracts/launcher-contract.js';
export {
  type ContractProgram,
  type ContractProgramName,
  contractPrograms,
} from './testing/contracts/launcher-programs.js';
export type { CommandOptions, LauncherFixture, LauncherUnderTest } from './testing/contracts/launcher-under-test.js';
export {
  type LayerStoreUnderTest,
  layerStoreContract,
  type WithLayerStore,
} from './testing/contracts/layer-store-contract.js';
export {
  type NetworkDriverFixture,
  networkDriverContract,
  type OpenedNetworkDriver,
} from './testing/contracts/network-driver-contract.js';
export { registryClientContract } from './testing/contracts/registry-client-contract.js';
export type { RegistryUnderTest } from './testing/contracts/registry-under-test.js';
export { type RootAccessUnderTest, rootAccessContract } from './testing/contracts/root-access-contract.js';
export { type MemoryEngineOptions, openMemoryEngine } from './testing/memory-engine.js';
export { addMemoryImage, type MemoryImage } from './testing/memory-image.js';
export { allOf } from './testing/readiness/all-of.js';
export { type CommandReadinessOptions, forCommand } from './testing/readiness/for-command.js';
export { forCondition } from './testing/readiness/for-condition.js';
export { forExit } from './testing/readiness/for-exit.js';
export { forHealth } from './testing/readiness/for-health.js';
export { forHttp, type HttpOptions } from './testing/readiness/for-http.js';
export { forLogLine, type LogLineOptions } from './testing/readiness/for-log-line.js';
export { forPort } from './testing/readiness/for-port.js';
export type { Readiness, ReadinessContext } from './testing/readiness/readiness.js';
export { type WaitForOptions, waitFor } from './testing/readiness/wait-for.js';
export { RunningServices } from './testing/services/running-services.js';
export {
  type DependentService,
  needs,
  type ServiceDefinition,
  type ServiceOptions,
  type StartedServices,
} from './testing/services/service-definition.js';
export { startServices } from './testing/services/start-services.js';
export { StartedService } from './testing/services/started-service.js';
export {
  type StartOptions,
  TestContainers,
  type TestContainersOptions,
  type TestHooks,
  testContainers,
} from './testing/test-containers.js';

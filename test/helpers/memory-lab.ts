import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Container } from '#lib/container/container.js';
import type { ContainerOptions } from '#lib/container/container-options.js';
import { MemoryContentStore } from '#lib/content/memory/memory-content-store.js';
import { Engine } from '#lib/engine/engine.js';
import { EngineEventHub } from '#lib/engine/engine-events.js';
import type { EngineServices } from '#lib/engine/services.js';
import { MemoryKernel } from '#lib/kernel/memory/memory-kernel.js';
import { createMemoryLayerStore } from '#lib/layers/memory/memory-layer-store.js';
import { MemoryRegistryClient } from '#lib/registry/memory/memory-registry-client.js';
import { MemoryCgroups } from '#lib/runtime/cgroup/memory/memory-cgroups.js';
import { MemoryLauncher, type MemoryLauncherOptions } from '#lib/runtime/memory/memory-launcher.js';
import { contractPrograms } from '#lib/testing/contracts/launcher-programs.js';
import { type MemoryEngineOptions, memoryServices } from '#lib/testing/memory-engine.js';
import { addMemoryImage } from '#lib/testing/memory-image.js';

/** An engine on fakes with the image `test`, and all of its parts. */
export interface MemoryLab {
  readonly engine: Engine;
  readonly services: EngineServices;
  readonly cgroups: MemoryCgroups;
  readonly kernel: MemoryKernel;
  readonly launcher: MemoryLauncher;
  readonly registry: MemoryRegistryClient;
  readonly content: MemoryContentStore;
  readonly root: string;
  /** A container of the image `test` that runs a program of the launcher's contract. */
  create(command: readonly string[], options?: Partial<ContainerOptions>): Promise<Container>;
  /** Another engine on the same root, as of another process. */
  other(): Promise<Engine>;
}

export interface MemoryLabOptions extends Omit<MemoryEngineOptions, 'root' | 'kernel' | 'launcher' | 'registry'> {
  readonly launcher?: MemoryLauncherOptions;
}

/** Opens the lab; it goes with the test. */
export async function openMemoryLab(context: TestContext, options: MemoryLabOptions = {}): Promise<MemoryLab> {
  const root = await mkdtemp(join(tmpdir(), 'tscontainer-lab-'));
  const opened: Engine[] = [];
  context.after(async () => {
    for (const each of opened.reverse()) await each.close();
    await rm(root, { recursive: true });
  });
  const programs = Object.entries(contractPrograms).map(([name, { run }]) => [name, run] as const);
  const cgroups = options.cgroups ?? new MemoryCgroups();
  const launcher = new MemoryLauncher({
    execute: (operation) => void cgroups.execute(operation),
    ...options.launcher,
    programs: { ...Object.fromEntries(programs), text: 'not executable', ...options.programs },
  });
  const kernel = new MemoryKernel();
  const registry = new MemoryRegistryClient();
  const content = options.content ?? new MemoryContentStore();
  addMemoryImage(registry, 'test', { config: { Cmd: ['exit', '0'] } });
  const layers = options.layers ?? createMemoryLayerStore();
  const engineOptions = { ...options, cgroups, layers, root, kernel, registry, content, launcher };
  const events = new EngineEventHub();
  const services = memoryServices(engineOptions, events);
  const engine = await Engine.assemble(services, events);
  opened.push(engine);
  return {
    engine,
    services,
    cgroups,
    kernel,
    launcher,
    registry,
    content,
    root,
    create: (command, more = {}) => engine.containers.create({ image: 'test', command, ...more }),
    other: async () => {
      const hub = new EngineEventHub();
      const another = await Engine.assemble(memoryServices(engineOptions, hub), hub);
      opened.push(another);
      return another;
    },
  };
}

/** A `Container` of its own for the same container: what another part of the program would hold. */
export async function again(engine: Engine, container: Container): Promise<Container> {
  return engine.containers.get(container.id);
}

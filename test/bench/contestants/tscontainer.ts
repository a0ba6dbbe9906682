import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContestantFactory, Surroundings } from '../contestant.js';

/** The part of the public interface that is measured. */
interface Engine extends AsyncDisposable {
  readonly images: {
    pull(reference: string): Promise<unknown>;
    remove(reference: string): Promise<unknown>;
  };
  readonly containers: { create(options: object): Promise<Container> };
  run(image: string, command: readonly string[], options: object): Promise<{ readonly exitCode: number | null }>;
}

interface Container {
  start(): Promise<unknown>;
  exec(command: readonly string[]): Promise<{ readonly exitCode: number | null }>;
  spawn(command: readonly string[]): Promise<{ readonly stdout: AsyncIterable<Uint8Array>; wait(): Promise<unknown> }>;
  commit(): Promise<{ readonly id: string }>;
  logs(options: { readonly follow: boolean }): AsyncIterable<unknown>;
  remove(options: { readonly force: boolean }): Promise<unknown>;
}

/** This package, in the process that measures. */
export const tscontainer: ContestantFactory = (surroundings) => open(surroundings, 'tscontainer', 'auto');

/** The same with layers that are not unpacked. */
export const tscontainerErofs: ContestantFactory = (surroundings) => open(surroundings, 'tscontainer_erofs', 'erofs');

async function open(
  { directory, busyboxReference }: Surroundings,
  name: string,
  layerStore: string,
): ReturnType<ContestantFactory> {
  const library = (await import('tscontainer')) as unknown as {
    readonly Engine?: { open(options: object): Promise<Engine> };
  };
  if (library.Engine === undefined) return { missing: 'tscontainer has no Engine yet' };
  const engine = await library.Engine.open({
    root: join(directory, 'root'),
    runRoot: join(directory, 'run'),
    layerStore,
  });
  try {
    await engine.images.pull(busyboxReference);
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
  const create = async (options: object): Promise<Container> => {
    const container = await engine.containers.create({ image: busyboxReference, network: 'none', ...options });
    await container.start();
    return container;
  };
  return {
    name,
    version: JSON.parse(await readFile(new URL('../../../../package.json', import.meta.url), 'utf8')).version,
    networks: ['none', 'bridge'],
    run: async (network) => succeeded(await engine.run(busyboxReference, ['/bin/true'], { network })),
    async startIdle() {
      const container = await create({ command: ['sleep', '100000'] });
      return {
        exec: async () => succeeded(await container.exec(['/bin/true'])),
        execute: async (command) => succeeded(await container.exec(command)),
        commit: async () => {
          const { id } = await container.commit();
          return async () => void (await engine.images.remove(id));
        },
        remove: async () => void (await container.remove({ force: true })),
      };
    },
    helperProcesses: ['tscontainer'],
    pull: async (reference) => void (await engine.images.pull(reference)),
    removeImage: async (reference) => void (await engine.images.remove(reference)),
    pullsInProcess: true,
    async readOutput(command, log) {
      const container = await create({ command: log === 'none' ? ['sleep', '100000'] : command });
      const bytes = log === 'none' ? await streamedBytes(container, command) : await loggedBytes(container);
      await container.remove({ force: true });
      return bytes;
    },
    logs: ['none', 'default'],
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

async function streamedBytes(container: Container, command: readonly string[]): Promise<number> {
  const running = await container.spawn(command);
  let bytes = 0;
  for await (const chunk of running.stdout) bytes += chunk.length;
  await running.wait();
  return bytes;
}

/** Lines come without their line feed. */
async function loggedBytes(container: Container): Promise<number> {
  let bytes = 0;
  for await (const line of container.logs({ follow: true })) {
    const text = typeof line === 'string' ? line : (line as { readonly text: string }).text;
    bytes += Buffer.byteLength(text) + 1;
  }
  return bytes;
}

function succeeded({ exitCode }: { readonly exitCode: number | null }): void {
  if (exitCode !== 0) throw new Error(`tscontainer: /bin/true ended with ${exitCode}`);
}

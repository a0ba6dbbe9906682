import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { Limiter } from '../../util/limiter.js';
import type { AcquireLock } from '../acquire-lock.js';
import type { DecompressOptions } from '../compression/decompress.js';
import { type LayerDirectory, layerKey, openLayerDirectory } from '../layer-directory.js';
import type { LayerRecord } from '../layer-record.js';
import type { LayerSource, LayerStore } from '../layer-store.js';
import { createLayerShim, type LayerNeeds, type LayerShim, shimOptions } from '../shim/layer-shim.js';
import { UnpackThread } from '../unpack-thread.js';

export interface CopyLayerStoreOptions {
  /** Holds the trees; made if missing. */
  readonly directory: string;
  /** The tscontainer-shim executable. */
  readonly shimPath: string;
  readonly acquireLock: AcquireLock;
  /** Layers that unpack at once. Default 3. */
  readonly parallel?: number | undefined;
  /** Trees reach the disk before they count as there. Default true. */
  readonly sync?: boolean | undefined;
  /** Bounds of decompression. Default: those of core/limits.ts. */
  readonly bounds?: Omit<DecompressOptions, 'what'> | undefined;
}

/**
 * Keeps one merged tree per stack and copies it for each container: for hosts without overlayfs. A stack that begins
 * with a stored one starts from a copy of that.
 */
export async function openCopyLayerStore(options: CopyLayerStoreOptions): Promise<LayerStore> {
  const shim = createLayerShim(options);
  return createStore(await openLayerDirectory({ ...options, shim }), shim, options);
}

interface Unpacked extends LayerNeeds {
  readonly path: string;
  readonly bytes: number;
}

function createStore(layers: LayerDirectory, shim: LayerShim, options: CopyLayerStoreOptions): LayerStore {
  const limiter = new Limiter(options.parallel ?? 3);
  const thread = new UnpackThread();

  async function requireTop(diffIds: readonly Digest[]): Promise<LayerRecord> {
    const record = await layers.find(layerKey(diffIds));
    if (record === undefined) throw new EngineError('LAYER_NOT_FOUND', { diffId: diffIds.at(-1) ?? '' });
    return record;
  }

  /** How many layers of the stack some stored tree has already. */
  async function storedLength(diffIds: readonly Digest[]): Promise<number> {
    for (let length = diffIds.length; length > 0; length--)
      if ((await layers.find(layerKey(diffIds.slice(0, length)))) !== undefined) return length;
    return 0;
  }

  async function unpack(source: LayerSource, path: string, signal: AbortSignal): Promise<Unpacked> {
    await mkdir(path, { mode: 0o755 });
    const report = await thread.unpack(shimOptions(options), source, path, {
      ...options.bounds,
      whiteouts: 'names',
      signal,
    });
    const implicit = report.root === undefined ? ['', ...report.implicit] : report.implicit;
    return { path, bytes: report.bytes, implicit, links: report.links };
  }

  /** All layers at once; the first failure ends the others. */
  async function unpackAll(stack: readonly LayerSource[], directory: string, signal: AbortSignal | undefined) {
    const stop = new AbortController();
    const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    const work = stack.map((source, index) =>
      limiter.run(async () => {
        either.throwIfAborted();
        return unpack(source, join(directory, `layer-${index}`), either);
      }),
    );
    for (const each of work) each.catch((error: unknown) => stop.abort(error));
    const results = await Promise.allSettled(work);
    signal?.throwIfAborted();
    if (stop.signal.aborted) throw stop.signal.reason;
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  }

  async function build(stack: readonly LayerSource[], directory: string, signal: AbortSignal | undefined) {
    const diffIds = stack.map(({ diffId }) => diffId);
    const stored = await storedLength(diffIds);
    const tree = join(directory, 'fs');
    let sizeBytes = 0;
    const fresh = stack.slice(stored);
    const unpacked = await unpackAll(fresh, directory, signal);
    if (stored > 0) {
      const base = diffIds.slice(0, stored);
      sizeBytes = (await requireTop(base)).sizeBytes;
      await shim.copy(layers.tree(layerKey(base)), tree, { signal });
    }
    for (const [index, layer] of unpacked.entries()) {
      await shim.merge(layer.path, tree, layer, { layer: fresh[index]?.diffId ?? '', signal });
      sizeBytes += layer.bytes;
    }
    await shim.remove(unpacked.map(({ path }) => path));
    return { version: 1, diffIds, sizeBytes, rootOpaque: false, implicit: [], links: [] } as const;
  }

  return {
    kind: 'copy',

    has: async (diffIds) => (await storedLength(diffIds)) === diffIds.length,

    apply: async (stack, { signal, onLayer } = {}) => {
      signal?.throwIfAborted();
      if (stack.length === 0) return;
      const key = layerKey(stack.map(({ diffId }) => diffId));
      await layers.create(key, (directory) => build(stack, directory, signal), { signal });
      for (const [index, { diffId }] of stack.entries()) onLayer?.(diffId, index);
    },

    prepare: async (diffIds, directory) => {
      if (diffIds.length > 0) await requireTop(diffIds);
      const source = join(directory, 'rootfs');
      await mkdir(source, { mode: 0o755 });
      if (diffIds.length > 0) await shim.copy(layers.tree(layerKey(diffIds)), source, { sync: false });
      return { type: 'bind', source };
    },

    trees: async (diffIds) => {
      await requireTop(diffIds);
      return [layers.tree(layerKey(diffIds))];
    },

    discard: (directory) => shim.remove([join(directory, 'rootfs')]),

    collect: async (keep) => {
      const needed = new Set(keep.map(layerKey));
      let freed = 0;
      for (const key of await layers.list()) if (!needed.has(key)) freed += await layers.remove(key);
      return freed;
    },

    usage: async (diffIds) => {
      if (diffIds.length === 0) return { diffIds, sizeBytes: 0, parts: [] };
      const { sizeBytes } = await requireTop(diffIds);
      return { diffIds, sizeBytes, parts: [{ key: layerKey(diffIds), sizeBytes }] };
    },
  };
}

import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Digest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import type { RootMount } from '../../core/mount.js';
import { Limiter } from '../../util/limiter.js';
import type { AcquireLock } from '../acquire-lock.js';
import type { DecompressOptions } from '../compression/decompress.js';
import {
  type LayerDirectory,
  layerKey,
  mountPointsKey,
  mountPointsPrefix,
  openLayerDirectory,
} from '../layer-directory.js';
import { isIndependent, type LayerRecord } from '../layer-record.js';
import type { ApplyOptions, LayerSource, LayerStore, MountPoint, PrepareOptions } from '../layer-store.js';
import { applyRootAttributes } from '../root-attributes.js';
import { createLayerShim, type LayerShim, shimOptions } from '../shim/layer-shim.js';
import { UnpackThread } from '../unpack-thread.js';

export interface OverlayLayerStoreOptions {
  /** Holds the layers; made if missing. On a file system that overlayfs takes as upper directory. */
  readonly directory: string;
  /** The tscontainer-shim executable. */
  readonly shimPath: string;
  readonly acquireLock: AcquireLock;
  /** Layers that unpack at once. Default 3. */
  readonly parallel?: number | undefined;
  /** Layers reach the disk before they count as there. Default true. */
  readonly sync?: boolean | undefined;
  /** `user` where overlays are mounted with `userxattr`, without root. Default `trusted`. */
  readonly xattrs?: 'trusted' | 'user' | undefined;
  /**
   * Layers are not unpacked but indexed, and mounted as EROFS: few files, quick pulls; the kernel must take such mounts below
   * overlays (Linux 6.15). A layer that cannot be indexed is unpacked. Default false.
   */
  readonly indexed?: boolean | undefined;
  /** Bounds of decompression. Default: those of core/limits.ts. */
  readonly bounds?: Omit<DecompressOptions, 'what'> | undefined;
}

/**
 * Keeps each layer as a lower directory of overlayfs.
 *
 * A layer is kept under its diffID and shared by every stack. One that leans on the layers below it (it has files in
 * directories that it does not describe, or hard links into lower layers) is completed per stack and kept under its
 * chainID as well. All layers of a stack unpack at once; completing goes from the lowest to the highest.
 */
export async function openOverlayLayerStore(options: OverlayLayerStoreOptions): Promise<LayerStore> {
  const shim = createLayerShim(options);
  const layers = await openLayerDirectory({ ...options, shim });
  mkdirSync(join(options.directory, 'empty'), { recursive: true, mode: 0o755 });
  return createStore(layers, shim, options);
}

/** As native/src/index-layer.c names them. */
const INDEX = 'index.erofs';
const DATA = 'data';

interface Layer {
  readonly key: string;
  readonly record: LayerRecord;
}

function createStore(layers: LayerDirectory, shim: LayerShim, options: OverlayLayerStoreOptions): LayerStore {
  const limiter = new Limiter(options.parallel ?? 3);
  const thread = new UnpackThread();

  /** The layer on top of a stack, if it is usable there. */
  async function findTop(diffIds: readonly Digest[]): Promise<Layer | undefined> {
    const alone = layerKey(diffIds.slice(-1));
    const record = await layers.find(alone);
    if (record !== undefined && (diffIds.length === 1 || isIndependent(record))) return { key: alone, record };
    const chain = layerKey(diffIds);
    const completed = chain === alone ? undefined : await layers.find(chain);
    return completed && { key: chain, record: completed };
  }

  const findAll = (diffIds: readonly Digest[]): Promise<(Layer | undefined)[]> =>
    Promise.all(diffIds.map((_, index) => findTop(diffIds.slice(0, index + 1))));

  async function requireAll(diffIds: readonly Digest[]): Promise<Layer[]> {
    return (await findAll(diffIds)).map((layer, index) => {
      if (layer === undefined) throw new EngineError('LAYER_NOT_FOUND', { diffId: diffIds[index] ?? '' });
      return layer;
    });
  }

  const write = (source: LayerSource, directory: string, whiteouts: 'overlay' | 'index', signal?: AbortSignal) =>
    thread.unpack(shimOptions(options), source, directory, { ...options.bounds, whiteouts, signal });

  /** Undefined for a layer that cannot be, of which nothing is left then. */
  async function indexed(source: LayerSource, directory: string, signal: AbortSignal | undefined) {
    try {
      return await write(source, directory, 'index', signal);
    } catch (error) {
      if (!EngineError.is(error, 'LAYER_NOT_INDEXABLE')) throw error;
      await shim.remove([join(directory, DATA), join(directory, INDEX)]);
      return undefined;
    }
  }

  async function unpack(source: LayerSource, signal: AbortSignal | undefined): Promise<LayerRecord> {
    return layers.create(
      layerKey([source.diffId]),
      async (directory) => {
        const index = options.indexed === true ? await indexed(source, directory, signal) : undefined;
        const report = index ?? (await write(source, join(directory, 'fs'), 'overlay', signal));
        const { root, rootOpaque, implicit, links, bytes } = report;
        return {
          ...({ version: 1, diffIds: [source.diffId], sizeBytes: bytes, rootOpaque, implicit, links } as const),
          ...(root && { root }),
          ...(index && { indexed: true }),
        };
      },
      { signal },
    );
  }

  /** Makes the top of a stack fit onto the layers below it, which are complete. */
  async function complete(diffIds: readonly Digest[], record: LayerRecord, signal: AbortSignal | undefined) {
    const layer = diffIds.at(-1) ?? '';
    const [lost] = record.links;
    if (diffIds.length === 1) {
      if (lost === undefined) return;
      const reason = `a hard link to '${lost.target}', which is in no layer`;
      throw new EngineError('INVALID_LAYER', { diffId: layer, entry: lost.path, reason });
    }
    const below = lowerTrees(await requireAll(diffIds.slice(0, -1)));
    await layers.create(
      layerKey(diffIds),
      async (directory) => {
        const tree = join(directory, 'fs');
        await shim.copy(layers.tree(layerKey(diffIds.slice(-1))), tree, { signal });
        await shim.fix(tree, below, record, { layer, signal });
        return { ...record, diffIds, implicit: [], links: [] };
      },
      { signal },
    );
  }

  /** A tree with what the stack lacks of the mount points: made once for all containers of an image. */
  async function mountPointsTree(
    diffIds: readonly Digest[],
    lower: readonly string[],
    points: readonly MountPoint[],
  ): Promise<string> {
    const key = mountPointsKey(diffIds, points);
    if ((await layers.find(key)) === undefined) {
      await layers.create(key, async (directory) => {
        const [work, target] = [join(directory, 'work'), join(directory, 'target')];
        for (const each of [work, target]) mkdirSync(each, { mode: 0o700 });
        await shim.makeMountPoints({ lower, upper: join(directory, 'fs'), work, target, points });
        await shim.remove([work, target]);
        return { version: 1, diffIds: [...diffIds], sizeBytes: 0, rootOpaque: false, implicit: [], links: [] };
      });
    }
    return layers.tree(key);
  }

  /** A directory, or the index of one. */
  const placeOf = ({ key, record }: Layer): string =>
    record.indexed === true ? join(dirname(layers.tree(key)), INDEX) : layers.tree(key);

  /** Topmost first, down to a layer that hides the others. */
  function lowerTrees(stack: readonly Layer[]): string[] {
    const hiding = stack.findLastIndex(({ record }) => record.rootOpaque);
    const visible = stack.slice(Math.max(hiding, 0)).reverse();
    return visible.length === 0 ? [join(options.directory, 'empty')] : visible.map(placeOf);
  }

  return {
    kind: options.indexed === true ? 'erofs' : 'overlay',

    has: async (diffIds) => (await findAll(diffIds)).every((layer) => layer !== undefined),

    apply: async (stack, { signal, onLayer }: ApplyOptions = {}) => {
      signal?.throwIfAborted();
      const diffIds = stack.map(({ diffId }) => diffId);
      const present = await findAll(diffIds);
      const stop = new AbortController();
      const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
      const unpacked = stack.map(async (source, index) => {
        const layer = present[index];
        if (layer !== undefined) return layer.record;
        return limiter.run(() => unpack(source, either));
      });
      for (const each of unpacked) each.catch((error: unknown) => stop.abort(error));
      try {
        for (const [index, source] of stack.entries()) {
          const record = await (unpacked[index] ?? Promise.reject(new Error('no such layer')));
          const upToHere = diffIds.slice(0, index + 1);
          if (present[index] === undefined && !isIndependent(record)) await complete(upToHere, record, either);
          onLayer?.(source.diffId, index);
        }
      } catch (error) {
        stop.abort(error);
        await Promise.allSettled(unpacked);
        signal?.throwIfAborted();
        throw stop.signal.reason ?? error; // the first failure, not one that it has caused
      }
    },

    prepare: async (diffIds, directory, options: PrepareOptions = {}): Promise<RootMount> => {
      const { volatile = false, mountPoints = [] } = options;
      const stack = await requireAll(diffIds);
      const lower = lowerTrees(stack);
      const points = mountPoints.length === 0 ? [] : [await mountPointsTree(diffIds, lower, mountPoints)];
      const upper = join(directory, 'upper');
      const work = join(directory, 'work');
      mkdirSync(upper, { mode: 0o755 });
      mkdirSync(work, { mode: 0o700 });
      applyRootAttributes(upper, stack.findLast(({ record }) => record.root !== undefined)?.record.root);
      return { type: 'overlay', lower: [...points, ...lower], upper, work, volatile };
    },

    trees: async (diffIds) => lowerTrees(await requireAll(diffIds)),

    discard: (directory) => shim.remove([join(directory, 'upper'), join(directory, 'work')]),

    collect: async (keep) => {
      const needed = new Set(
        keep.flatMap((diffIds) =>
          diffIds.flatMap((id, index) => [layerKey([id]), layerKey(diffIds.slice(0, index + 1))]),
        ),
      );
      const stacks = new Set(keep.map((diffIds) => diffIds.join()));
      let freed = 0;
      for (const key of await layers.list()) {
        const isNeeded = key.startsWith(mountPointsPrefix)
          ? stacks.has((await layers.find(key))?.diffIds.join() ?? '')
          : needed.has(key);
        if (!isNeeded) freed += await layers.remove(key);
      }
      return freed;
    },

    usage: async (diffIds) => {
      const stack = await requireAll(diffIds);
      const sizes = new Map(stack.map(({ key, record }) => [key, record.sizeBytes]));
      const parts = stack.map(({ key, record }) => ({ key, sizeBytes: record.sizeBytes }));
      return { diffIds, sizeBytes: [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0), parts };
    },
  };
}

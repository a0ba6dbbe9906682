import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Abortable } from '../core/abortable.js';
import { chainId } from '../core/chain-id.js';
import { type Digest, splitDigest } from '../core/digest.js';
import { attachCleanupErrors } from '../core/errors/attach-cleanup-errors.js';
import { EngineError } from '../core/errors/engine-error.js';
import { syncDirectory } from '../util/atomic-file.js';
import type { AcquireLock } from './acquire-lock.js';
import { type LayerRecord, readLayerRecord, writeLayerRecord } from './layer-record.js';
import type { LayerShim } from './shim/layer-shim.js';

/**
 * The directory of a store: `layers/KEY/{fs,layer.json}` are complete layers, `tmp/KEY` belongs to whoever holds the
 * lock of KEY, so what lies there while the lock is free was left by a crash.
 */
export interface LayerDirectory {
  /** The root of the tree of a layer. */
  tree(key: string): string;
  /** The record of a complete layer, or undefined. */
  find(key: string): Promise<LayerRecord | undefined>;
  /**
   * Makes the layer `key` with `build`, which gets an empty directory that holds an empty `fs`, unless it is there.
   * It appears when `build` has returned its record, or not at all.
   */
  create(key: string, build: (directory: string) => Promise<LayerRecord>, options?: Abortable): Promise<LayerRecord>;
  /** The keys of all complete layers. */
  list(): Promise<string[]>;
  /** Removes a layer; 0 when it is not there, else the bytes that it had. */
  remove(key: string): Promise<number>;
}

export interface LayerDirectoryOptions {
  readonly directory: string;
  readonly shim: LayerShim;
  readonly acquireLock: AcquireLock;
}

/** Name of what depends on one layer only: its diffID; of what depends on those below too: the chainID. */
export function layerKey(diffIds: readonly Digest[]): string {
  return splitDigest(chainId(diffIds)).join('-');
}

/** Opens (and makes) the directory, and removes what crashed processes have left in it. */
export async function openLayerDirectory(options: LayerDirectoryOptions): Promise<LayerDirectory> {
  const { shim, acquireLock } = options;
  const layers = join(options.directory, 'layers');
  const temporary = join(options.directory, 'tmp');
  const locks = join(options.directory, 'locks');
  for (const path of [layers, temporary, locks]) await mkdir(path, { recursive: true, mode: 0o700 });
  const lockPath = (key: string): string => join(locks, `${key}.lock`);
  const recordPath = (key: string): string => join(layers, key, 'layer.json');
  const found = new Map<string, LayerRecord>(); // records never change

  async function find(key: string): Promise<LayerRecord | undefined> {
    const known = found.get(key);
    if (known !== undefined && existsSync(recordPath(key))) return known; // another process may have removed it
    const layer = await readLayerRecord(recordPath(key));
    if (layer === undefined) found.delete(key);
    else found.set(key, layer);
    return layer;
  }

  await sweep(temporary, lockPath, options);
  return {
    tree: (key) => join(layers, key, 'fs'),
    find,
    list: () => readdir(layers),
    create: async (key, build, { signal } = {}) => {
      const ready = await readLayerRecord(recordPath(key));
      if (ready !== undefined) return ready;
      await using _lock = await acquireLock(lockPath(key), { signal });
      const made = await readLayerRecord(recordPath(key));
      if (made !== undefined) return made;
      const directory = join(temporary, key);
      await shim.remove([directory]);
      try {
        await mkdir(join(directory, 'fs'), { recursive: true, mode: 0o755 });
        const layer = await build(directory);
        await writeLayerRecord(join(directory, 'layer.json'), layer);
        signal?.throwIfAborted();
        await rename(directory, join(layers, key)); // the point of no return
        await syncDirectory(layers);
        return layer;
      } catch (error) {
        await shim.remove([directory]).catch((failure: unknown) => attachCleanupErrors(error, [failure]));
        throw error;
      }
    },
    remove: async (key) => {
      await using _lock = await acquireLock(lockPath(key));
      found.delete(key);
      const layer = await readLayerRecord(recordPath(key));
      if (layer === undefined) return 0;
      const directory = join(temporary, key);
      await shim.remove([directory]);
      await rename(join(layers, key), directory);
      await shim.remove([directory]);
      await rm(lockPath(key));
      return layer.sizeBytes;
    },
  };
}

async function sweep(
  temporary: string,
  lockPath: (key: string) => string,
  { shim, acquireLock }: LayerDirectoryOptions,
): Promise<void> {
  for (const key of await readdir(temporary)) {
    try {
      await using _lock = await acquireLock(lockPath(key), { timeoutMs: 0 });
      await shim.remove([join(temporary, key)]);
    } catch (error) {
      if (!EngineError.is(error, 'LOCK_TIMEOUT')) throw error; // somebody is at work there
    }
  }
}

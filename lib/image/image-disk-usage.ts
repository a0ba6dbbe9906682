import { EngineError } from '../core/errors/engine-error.js';
import { contentOf } from './collect-content.js';
import { type ImageGroup, imageGroups } from './image-group.js';
import { stackOf } from './image-record.js';
import type { ImageServices } from './image-services.js';

/** What one image takes on disk. */
export interface ImageDiskUsage {
  readonly id: string;
  readonly names: readonly string[];
  /** Its unpacked layers, and its blobs as they came from the registry. */
  readonly sizeBytes: number;
  /** Of that, what other images have, too. */
  readonly sharedBytes: number;
  /** Of that, what nothing else has. */
  readonly uniqueBytes: number;
  /** Containers that use it, running or not. */
  readonly containers: number;
}

/** What all images take on disk. What several of them have counts once. */
export interface ImagesDiskUsage {
  readonly images: readonly ImageDiskUsage[];
  readonly sizeBytes: number;
  /** What `prune({ all: true })` would free of it: nothing that a container uses needs it. */
  readonly reclaimableBytes: number;
  /** Beside that: downloads that were interrupted, or are under way. */
  readonly partialBytes: number;
}

/** Counts what is stored; an image that is removed meanwhile is left out. */
export async function imagesDiskUsage(services: ImageServices): Promise<ImagesDiskUsage> {
  const uses = await services.usedByContainers();
  const found = await Promise.all(
    (await imageGroups(services)).map(async (group) => ({ group, pieces: await piecesOf(services, group) })),
  );
  const here = found.flatMap(({ group, pieces }) => (pieces === undefined ? [] : [{ group, pieces }]));
  const owners = new Map<string, number>();
  for (const { pieces } of here) for (const key of pieces.keys()) owners.set(key, (owners.get(key) ?? 0) + 1);
  const images = here.map(({ group: { id, names }, pieces }) => {
    const sizeBytes = sum(pieces.values());
    const unique = [...pieces].filter(([key]) => owners.get(key) === 1);
    const uniqueBytes = sum(unique.map(([, bytes]) => bytes));
    const containers = uses.filter((use) => use.image === id).length;
    return { id, names, sizeBytes, sharedBytes: sizeBytes - uniqueBytes, uniqueBytes, containers };
  });
  const all = new Map(here.flatMap(({ pieces }) => [...pieces]));
  const used = new Set(uses.map((use) => use.image));
  const needed = new Map(here.filter(({ group }) => used.has(group.id)).flatMap(({ pieces }) => [...pieces]));
  const sizeBytes = sum(all.values());
  const partialBytes = await services.content.partialBytes();
  return { images, sizeBytes, reclaimableBytes: sizeBytes - sum(needed.values()), partialBytes };
}

/** Bytes by what is stored once: parts of layer stacks and blobs. Undefined when the image has gone. */
async function piecesOf(
  services: ImageServices,
  { records }: ImageGroup,
): Promise<ReadonlyMap<string, number> | undefined> {
  const pieces = new Map<string, number>();
  try {
    const { parts } = await services.layers.usage(stackOf(records[0]));
    for (const { key, sizeBytes } of parts) pieces.set(`layer ${key}`, sizeBytes);
  } catch (error) {
    if (EngineError.is(error, 'LAYER_NOT_FOUND')) return undefined;
    throw error;
  }
  for (const record of records) {
    for (const digest of await contentOf(services, record)) {
      const blob = await services.content.stat(digest);
      if (blob !== undefined) pieces.set(`blob ${digest}`, blob.size);
    }
  }
  return pieces;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const each of values) total += each;
  return total;
}

import { createHash } from 'node:crypto';
import { Parser, type ReadEntry } from 'tar';
import { chainId } from '../../core/chain-id.js';
import { type Digest, splitDigest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { BadCompression, type DecompressOptions, decompress } from '../compression/decompress.js';
import type { LayerSource, LayerStore } from '../layer-store.js';

/** A member of a layer archive. */
export interface MemoryFile {
  /** Without leading and trailing slashes. */
  readonly path: string;
  /** As the tar package names it: `File`, `Directory`, `SymbolicLink`, `Link`, … */
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly linkTarget: string;
  readonly content: Buffer;
}

/** A {@link LayerStore} that shows what it holds. */
export interface MemoryLayerStore extends LayerStore {
  /** What a container would see of a stack, by path. */
  view(diffIds: readonly Digest[]): ReadonlyMap<string, MemoryFile>;
}

/** How a memory layer store is made. */
export interface MemoryLayerStoreOptions {
  readonly bounds?: Omit<DecompressOptions, 'what'> | undefined;
}

/** A store for tests: lists of files, no file system. It shares the decompression and the verification of the real ones. */
export function createMemoryLayerStore(options: MemoryLayerStoreOptions = {}): MemoryLayerStore {
  const layers = new Map<Digest, readonly MemoryFile[]>();
  const usable = new Set<Digest>(); // chainIDs

  function requireStack(diffIds: readonly Digest[]): void {
    for (const [index, diffId] of diffIds.entries())
      if (!usable.has(chainId(diffIds.slice(0, index + 1)))) throw new EngineError('LAYER_NOT_FOUND', { diffId });
  }

  return {
    kind: 'memory',
    has: async (diffIds) => diffIds.every((_, index) => usable.has(chainId(diffIds.slice(0, index + 1)))),
    apply: async (stack, { signal, onLayer } = {}) => {
      signal?.throwIfAborted();
      for (const [index, source] of stack.entries()) {
        signal?.throwIfAborted();
        const files = layers.get(source.diffId) ?? (await readLayer(source, options, signal));
        layers.set(source.diffId, files);
        usable.add(chainId(stack.slice(0, index + 1).map(({ diffId }) => diffId)));
        onLayer?.(source.diffId, index);
      }
    },
    prepare: async (diffIds, directory) => {
      requireStack(diffIds);
      return { type: 'bind', source: directory };
    },
    discard: async () => undefined,
    collect: async (keep) => {
      const chains = new Set(keep.flatMap((ids) => ids.map((_, index) => chainId(ids.slice(0, index + 1)))));
      for (const chain of usable) if (!chains.has(chain)) usable.delete(chain);
      const needed = new Set(keep.flat());
      let freed = 0;
      for (const [diffId, files] of layers) {
        if (needed.has(diffId)) continue;
        freed += sizeOf(files);
        layers.delete(diffId);
      }
      return freed;
    },
    trees: async (diffIds) => {
      requireStack(diffIds);
      return [];
    },
    usage: async (diffIds) => {
      requireStack(diffIds);
      const parts = diffIds.map((diffId) => ({ key: diffId, sizeBytes: sizeOf(layers.get(diffId) ?? []) }));
      const sizes = new Map(parts.map(({ key, sizeBytes }) => [key, sizeBytes]));
      return { diffIds, sizeBytes: [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0), parts };
    },
    view: (diffIds) => {
      requireStack(diffIds);
      const merged = new Map<string, MemoryFile>();
      for (const diffId of diffIds) merge(merged, layers.get(diffId) ?? []);
      return merged;
    },
  };
}

async function readLayer(
  source: LayerSource,
  { bounds }: MemoryLayerStoreOptions,
  signal: AbortSignal | undefined,
): Promise<MemoryFile[]> {
  const { diffId } = source;
  const [algorithm] = splitDigest(diffId);
  const hash = createHash(algorithm);
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of decompress(source.open(), { ...bounds, what: `layer ${diffId}` })) {
      signal?.throwIfAborted();
      hash.update(chunk);
      chunks.push(chunk);
    }
  } catch (error) {
    if (!(error instanceof BadCompression)) throw error;
    throw new EngineError('INVALID_LAYER', { diffId, entry: '', reason: error.message }, { cause: error });
  }
  const files = await parse(Buffer.concat(chunks), diffId);
  const actual = `${algorithm}:${hash.digest('hex')}`;
  if (actual !== diffId) throw new EngineError('DIGEST_MISMATCH', { what: 'layer', expected: diffId, actual });
  return files;
}

async function parse(archive: Buffer, diffId: Digest): Promise<MemoryFile[]> {
  if (archive.every((byte) => byte === 0)) return []; // the tar package takes it for no archive
  if (archive.length % 512 !== 0)
    throw new EngineError('INVALID_LAYER', { diffId, entry: '', reason: 'the archive is truncated' });
  return new Promise((resolve, reject) => {
    const files: MemoryFile[] = [];
    const refuse = (entry: string, reason: string): void =>
      reject(new EngineError('INVALID_LAYER', { diffId, entry, reason }));
    const parser = new Parser({
      strict: true,
      onReadEntry: (entry: ReadEntry) => {
        const content: Buffer[] = [];
        entry.on('data', (chunk: Buffer) => content.push(chunk));
        entry.on('end', () => files.push(toFile(entry, Buffer.concat(content))));
        if (/(^|\/)\.\.(\/|$)/.test(entry.path)) refuse(entry.path, 'the name leaves the root');
        if (/(^|\/)\.wh\.$/.test(entry.path)) refuse(entry.path, 'a whiteout names nothing');
      },
    });
    parser.on('error', (error: Error) => refuse('', error.message));
    parser.on('end', () => resolve(files));
    parser.end(archive);
  });
}

function toFile(entry: ReadEntry, content: Buffer): MemoryFile {
  return {
    path: entry.path.replace(/^(\.?\/+)+|\/+$/g, ''),
    type: entry.type,
    mode: entry.mode ?? 0,
    uid: entry.uid ?? 0,
    gid: entry.gid ?? 0,
    linkTarget: entry.linkpath ?? '',
    content,
  };
}

/** Whiteouts act on what the layers below have brought, so they come first. */
function merge(merged: Map<string, MemoryFile>, layer: readonly MemoryFile[]): void {
  const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
  const isWhiteout = ({ path }: MemoryFile): boolean => nameOf(path).startsWith('.wh.');
  for (const { path } of layer.filter(isWhiteout)) {
    const parent = path.slice(0, path.length - nameOf(path).length);
    const hidden = nameOf(path) === '.wh..wh..opq' ? parent : parent + nameOf(path).slice(4);
    for (const other of merged.keys())
      if (other === hidden || other.startsWith(hidden.endsWith('/') || hidden === '' ? hidden : `${hidden}/`))
        merged.delete(other);
  }
  for (const file of layer) {
    if (isWhiteout(file)) continue;
    const target = file.type === 'Link' ? merged.get(file.linkTarget) : undefined;
    merged.set(file.path, target === undefined ? file : { ...target, path: file.path });
  }
}

function sizeOf(files: readonly MemoryFile[]): number {
  return files.reduce((sum, { content }) => sum + content.length, 0);
}

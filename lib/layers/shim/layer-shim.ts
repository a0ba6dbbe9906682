import { lstat } from 'node:fs/promises';
import type { Abortable } from '../../core/abortable.js';
import { isMissing } from '../../util/file-error.js';
import type { MountPoint } from '../layer-store.js';
import { type RunShimOptions, runShim } from './run-shim.js';
import { toLayerError } from './shim-error.js';
import type { ShimReport } from './shim-report.js';

/** What a layer takes from the layers below it. Names hold one byte per character (latin1). */
export interface LayerNeeds {
  readonly implicit: readonly string[];
  readonly links: readonly { readonly path: string; readonly target: string }[];
}

export interface UnpackOptions extends Abortable {
  /** The layer, for error messages. */
  readonly layer: string;
  /**
   * `overlay`: whiteouts as overlayfs wants them. `names`: as the archive has them, for {@link LayerShim.merge}. `index`: nothing
   * is unpacked, the directory gets an EROFS index and the content that it shows; `LAYER_NOT_INDEXABLE` where that cannot be.
   */
  readonly whiteouts: 'overlay' | 'names' | 'index';
}

/** The roles of the shim that work on trees. Each throws what {@link runShim} and {@link toLayerError} throw. */
export interface LayerShim {
  /** Writes an uncompressed archive into the empty `directory`. */
  unpack(archive: AsyncIterable<Uint8Array>, directory: string, options: UnpackOptions): Promise<ShimReport>;
  /** Completes an unpacked layer by what is in the layers below, topmost first. */
  fix(directory: string, below: readonly string[], needs: LayerNeeds, options: WorkOptions): Promise<void>;
  /** Moves the content of a layer unpacked with `names` onto a tree that holds the layers below. */
  merge(layer: string, tree: string, needs: LayerNeeds, options: WorkOptions): Promise<void>;
  /** Copies a tree with everything in it into an empty directory. */
  copy(from: string, to: string, options?: CopyOptions): Promise<void>;
  /** Makes missing mount points of a stack in an overlay of it, whose upper directory holds them afterwards. */
  makeMountPoints(request: MountPointsRequest): Promise<void>;
  /** Removes trees; fine when they are not there. */
  remove(paths: readonly string[]): Promise<void>;
}

export interface MountPointsRequest {
  /** Topmost first. */
  readonly lower: readonly string[];
  /** Directories for the overlay: empty, in one file system. The last is where it is mounted, out of sight of others. */
  readonly upper: string;
  readonly work: string;
  readonly target: string;
  readonly points: readonly MountPoint[];
}

export interface WorkOptions extends Abortable {
  /** The layer, for error messages. */
  readonly layer: string;
}

export interface CopyOptions extends Abortable {
  /** Flush the copy to the disk. Default: as the store does with layers. */
  readonly sync?: boolean | undefined;
}

export interface LayerShimOptions {
  readonly shimPath: string;
  /** Each tree is flushed to the disk before its role ends. Default true. */
  readonly sync?: boolean | undefined;
  /** Whose extended attributes mark opaque directories: `user` for overlays mounted with `userxattr`. Default `trusted`. */
  readonly xattrs?: 'trusted' | 'user' | undefined;
}

/** Just these options of a larger object: what can be handed to another thread. */
export const shimOptions = ({ shimPath, sync, xattrs }: LayerShimOptions): LayerShimOptions => ({
  shimPath,
  sync,
  xattrs,
});

const treesAtOnce = 64; // of native/src/layer-trees.c

/** The layer roles of the executable at `shimPath`. */
export function createLayerShim({ shimPath, sync = true, xattrs = 'trusted' }: LayerShimOptions): LayerShim {
  const syncFlag = sync ? ['--sync'] : [];

  async function run(
    role: readonly string[],
    layer: string,
    path: string,
    options: RunShimOptions,
  ): Promise<ShimReport> {
    const report = await runShim(shimPath, role, options);
    if (report.failure !== undefined) throw toLayerError(report.failure, layer, path);
    return report;
  }

  return {
    unpack: (archive, directory, { layer, whiteouts, signal }) => {
      const form = whiteouts === 'names' ? ['--names'] : ['--opaque', `${xattrs}.overlay.opaque`];
      const role = whiteouts === 'index' ? 'index-layer' : 'unpack';
      return run([role, ...form, ...syncFlag, directory], layer, directory, { input: archive, signal });
    },
    fix: async (directory, below, needs, { layer, signal }) => {
      const flags = [...syncFlag, ...(xattrs === 'user' ? ['--user'] : [])];
      const input = encodeNeeds(needs);
      await run(['fix-layer', ...flags, directory, ...below], layer, directory, { input, signal });
    },
    merge: async (from, tree, needs, { layer, signal }) => {
      await run(['merge-layer', ...syncFlag, from, tree], layer, tree, { input: encodeNeeds(needs), signal });
    },
    copy: async (from, to, options = {}) => {
      const flags = (options.sync ?? sync) ? ['--sync'] : [];
      await run(['copy-tree', ...flags, from, to], '', to, { signal: options.signal });
    },
    makeMountPoints: async ({ lower, upper, work, target, points }) => {
      const texts = points.map(({ kind, path }) => `${pointKinds[kind]}${path}`);
      await run(['mount-points', upper, work, target, String(texts.length), ...texts, ...lower], '', upper, {});
    },
    remove: async (paths) => {
      const there = await present(paths); // starting a process costs more than looking
      for (let start = 0; start < there.length; start += treesAtOnce) {
        const some = there.slice(start, start + treesAtOnce);
        await run(['remove-tree', ...some], '', some[0] ?? '', {});
      }
    },
  };
}

const pointKinds = { file: 'f', directory: 'd', 'kernel directory': 'k' } as const;

async function present(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    try {
      await lstat(path);
      found.push(path);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return found;
}

/** Records as native/src/layer-request.c reads them. */
function encodeNeeds({ implicit, links }: LayerNeeds): Buffer {
  const directories = implicit.map((path) => `D${path}\0`);
  const files = links.map(({ path, target }) => `H${path}\0${target}\0`);
  return Buffer.from([...directories, ...files].join(''), 'latin1');
}

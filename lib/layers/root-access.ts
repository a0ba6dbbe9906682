import type { Abortable } from '../core/abortable.js';
import type { ProcessIdentity } from '../core/process-identity.js';

/** The root of a container, or a directory of the host, to be looked at or changed from outside. */
export type RootView =
  /** Of a running container, with everything that is mounted there. */
  | { readonly kind: 'process'; readonly process: ProcessIdentity }
  /** Of a container that does not run, on an overlay. `lower` has the topmost first; `work` is empty. */
  | {
      readonly kind: 'overlay';
      readonly upper: string;
      readonly work: string;
      readonly lower: readonly string[];
      readonly binds: readonly RootBind[];
    }
  | { readonly kind: 'tree'; readonly directory: string; readonly binds: readonly RootBind[] }
  /** Layers, topmost first: to be read only. */
  | { readonly kind: 'layers'; readonly directories: readonly string[]; readonly binds: readonly RootBind[] };

/** What a container has mounted from the host. */
export interface RootBind {
  readonly source: string;
  readonly target: string;
}

/** What has changed, and since when. */
export interface ChangedRoot {
  /** `overlay`: its upper directory. `tree`: the whole root. */
  readonly kind: 'overlay' | 'tree';
  readonly directory: string;
  /** What it was made of: layers, topmost first, or their tree. */
  readonly below: readonly string[];
  /** Paths, without a slash in front, that are not looked at. */
  readonly except: readonly string[];
}

/** One change, as Docker tells it: a directory in which something has changed has changed itself. */
export interface RootChange {
  /** Absolute. Bytes that are no UTF-8 are replaced. */
  readonly path: string;
  readonly kind: 'added' | 'changed' | 'deleted';
}

/** What is at a path. */
export interface PathStatus {
  readonly type: 'file' | 'directory' | 'link' | 'character device' | 'block device' | 'fifo' | 'socket';
  /** Permission bits with set-id and sticky bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
  readonly modifiedAt: Date;
  /** Of a link. */
  readonly target: string | undefined;
}

export interface PathOptions extends Abortable {
  /** In the root; `/a` and `a` are the same. Links in it lead to places in the root, never outside. */
  readonly path: string;
  /** A link at its end is followed. */
  readonly follow: boolean;
}

export interface PackOptions extends PathOptions {
  /** What it is called in the archive; `''` leaves it out, and has what is in it. */
  readonly name: string;
  /** Everything belongs to these in the archive. Default: to whom it belongs. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * The port to files in roots: reads and writes them without any program of the container, whose content is hostile and may
 * change meanwhile.
 *
 * Everything throws EngineError `NO_SUCH_PATH`, `PATH_CONFLICT`, `INVALID_ARCHIVE`, `NO_SPACE`, `SYSTEM_CALL_FAILED`,
 * `SHIM_FAILED`.
 */
export interface RootAccess {
  /** A tar archive with owners, hard links, devices, extended attributes; sockets are left out. */
  pack(view: RootView, options: PackOptions): AsyncIterable<Uint8Array>;
  /** What is at a path. */
  stat(view: RootView, options: PathOptions): Promise<PathStatus>;
  /**
   * Writes an archive (a plain tar) into an existing directory. Names that lead out of the directory are refused; neither is a
   * directory replaced by something else nor the other way round.
   */
  copyIn(view: RootView, options: Omit<PathOptions, 'follow'> & CopyInOptions): Promise<void>;
  /** What was added, changed and deleted, a directory before what is in it. */
  changes(root: ChangedRoot, options: Abortable): Promise<readonly RootChange[]>;
  /** The same as the archive of a layer. @see OCI image-spec, layer.md */
  packChanges(root: ChangedRoot, options: Abortable): AsyncIterable<Uint8Array>;
}

/** What is written. */
export interface CopyInOptions {
  /** Read once. */
  readonly archive: AsyncIterable<Uint8Array>;
}

import type { Abortable } from '../core/abortable.js';
import type { Digest } from '../core/digest.js';
import type { RootMount } from '../core/mount.js';

/** A layer as an image offers it. */
export interface LayerSource {
  /** Digest of the uncompressed archive; it is verified. @see OCI image-spec, config.md, `rootfs.diff_ids` */
  readonly diffId: Digest;
  /**
   * The archive as stored: plain tar, gzip or zstd, recognised by its first bytes. Called again when it cannot be indexed.
   */
  open(): AsyncIterable<Uint8Array>;
  /**
   * A file with what `open` gives, if there is one: another thread can read that by itself. It stays until the layer is
   * applied.
   */
  file?(): Promise<string | undefined>;
}

export interface ApplyOptions extends Abortable {
  /** Called when a layer of the stack has become usable. */
  readonly onLayer?: ((diffId: Digest, index: number) => void) | undefined;
}

/** What a writable view is for. */
export interface PrepareOptions {
  /** The container dies with its owner, so nothing needs to reach the disk. Default false. */
  readonly volatile?: boolean;
  /**
   * Where something will be mounted in every container. A store may have these places at hand, so that nothing needs to be
   * made for them; one that is missing all the same is made at the start. Default: none.
   */
  readonly mountPoints?: readonly MountPoint[];
}

/** A place in a container on which something is mounted. */
export interface MountPoint {
  /** Absolute. */
  readonly path: string;
  /** A kernel directory's path holds no link. */
  readonly kind: 'file' | 'directory' | 'kernel directory';
}

/** What a store keeps for one stack of layers. */
export interface StackUsage {
  readonly diffIds: readonly Digest[];
  /** Bytes on disk of the unpacked layers. */
  readonly sizeBytes: number;
  /** What it is made of: one part for each layer, lowest first, where the store keeps single layers; else one for all. */
  readonly parts: readonly StackPart[];
}

/** A part that several stacks have is stored once. */
export interface StackPart {
  /** Equal for what is the same part. */
  readonly key: string;
  readonly sizeBytes: number;
}

/**
 * A store of unpacked layers.
 *
 * A *stack* is a list of diffIDs, lowest first. `apply` makes a stack usable, `prepare` gives a container a private
 * writable view of it under a directory that the caller owns, `discard` ends that view. The store mounts nothing: it
 * returns a {@link RootMount}. A layer is there entirely or not at all, and shared between stacks where its content
 * does not depend on the layers below it.
 */
export interface LayerStore {
  /** `overlay`, `copy`, `memory`, …: shown by `engine.info()`. */
  readonly kind: string;
  /** True when every layer of the stack is usable. */
  has(diffIds: readonly Digest[]): Promise<boolean>;
  /**
   * Unpacks what is missing, several layers at once.
   *
   * @throws EngineError `INVALID_LAYER` naming the entry, `DIGEST_MISMATCH` for a wrong diffID, `NO_SPACE`,
   * `TOO_LARGE`. After a failure no half layer is left, good layers stay.
   */
  apply(stack: readonly LayerSource[], options?: ApplyOptions): Promise<void>;
  /**
   * Makes the writable view of a stack in the existing directory `directory` (same file system as the store).
   *
   * @throws EngineError `LAYER_NOT_FOUND` when the stack was not applied.
   */
  prepare(diffIds: readonly Digest[], directory: string, options?: PrepareOptions): Promise<RootMount>;
  /** Removes what `prepare` made in `directory`; doing it twice is fine. */
  discard(directory: string): Promise<void>;
  /**
   * Directories, topmost first, that show a stack when they are laid over each other, to be read only. None where layers are no
   * directories.
   *
   * @throws EngineError `LAYER_NOT_FOUND`.
   */
  trees(diffIds: readonly Digest[]): Promise<readonly string[]>;
  /** Removes every layer that none of the `keep` stacks needs. Returns the bytes freed. */
  collect(keep: readonly (readonly Digest[])[]): Promise<number>;
  /** Disk use of a stack. @throws EngineError `LAYER_NOT_FOUND`. */
  usage(diffIds: readonly Digest[]): Promise<StackUsage>;
}

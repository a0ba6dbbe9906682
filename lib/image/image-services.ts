import type { ContentStore } from '../content/content-store.js';
import type { Digest } from '../core/digest.js';
import type { ImageEventAction } from '../core/engine-event.js';
import type { Platform } from '../core/platform.js';
import type { LayerStore } from '../layers/layer-store.js';
import type { RegistryClient } from '../registry/registry-client.js';
import type { FileLocker } from '../util/file-lock.js';
import type { ImageRecords } from './image-records.js';

/** What the use cases of images work with. */
export interface ImageServices {
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly registry: RegistryClient;
  readonly images: ImageRecords;
  readonly locker: FileLocker;
  /** Adds content; meanwhile no process removes what looks unused because it has no name yet. */
  readonly holdContent: <T>(signal: AbortSignal | undefined, work: () => Promise<T>) => Promise<T>;
  /** The same lock file, held exclusively by whoever removes what nobody needs. */
  readonly contentLock: string;
  /** Held by whoever changes names of images, for a moment. */
  readonly namesLock: string;
  /** What must stay although no image has it: what was pushed to this engine and is none. */
  readonly pinnedContent: () => Promise<ReadonlySet<Digest>>;
  /** Tells everybody what has happened to an image. */
  readonly tell: (action: ImageEventAction, image: { readonly id: string; readonly name?: string | undefined }) => void;
  readonly platform: Platform;
  readonly now: () => Date;
  /** Images that containers use: by the container's id, the image's id and its stack of layers. */
  readonly usedByContainers: () => Promise<readonly ImageUse[]>;
}

export interface ImageUse {
  readonly container: string;
  readonly image: Digest;
  /** False when it was not started yet, or has ended. */
  readonly isRunning: boolean;
  readonly stack: readonly Digest[];
}

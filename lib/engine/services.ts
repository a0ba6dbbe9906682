import type { ContainerServices } from '../container/container-services.js';
import type { StorageLayout } from '../core/storage-layout.js';
import type { ImageServices } from '../image/image-services.js';
import type { CredentialSource } from '../registry/credential-source.js';
import type { RegistryLinks } from '../registry/registry-storage.js';
import type { SharedLock } from '../util/shared-lock.js';
import type { EventJournal } from './events/event-journal.js';

/** Everything that an engine works with: made once, in default-services.ts, and passed on. */
export interface EngineServices {
  readonly layout: StorageLayout;
  readonly images: ImageServices;
  readonly containers: ContainerServices;
  readonly contentLock: SharedLock;
  readonly journal: EventJournal;
  /** What was pushed to this engine and is no image of it. */
  readonly registryLinks: RegistryLinks;
  /** What is shown to registries. */
  readonly credentials: CredentialSource;
  /** Removes from the host what networks need only while they are used. */
  readonly teardownNetworks: () => Promise<void>;
  /** PATH of this process: where `images.fromHost` looks programs up. */
  readonly searchPath: string;
}

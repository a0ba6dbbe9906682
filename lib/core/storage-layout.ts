import { join } from 'node:path';

/** Version of what is below ROOT; an engine refuses any other. */
export const LAYOUT_VERSION = '1';

/**
 * Where things are. ROOT survives a reboot, RUN need not. Names of containers are files that hold an id, so that two
 * processes cannot take one name.
 */
export class StorageLayout {
  constructor(
    /** Everything durable; mode 0711. */
    readonly root: string,
    /** What is meaningless after a reboot; mode 0700. */
    readonly run: string,
  ) {}

  readonly content = (): string => join(this.root, 'content');
  readonly layers = (): string => join(this.root, 'layers');
  readonly registry = (): string => join(this.root, 'registry');
  readonly images = (): string => join(this.root, 'images');
  readonly containers = (): string => join(this.root, 'containers');
  /** Where the directory of a removed container waits for its end, out of sight. */
  readonly trash = (id = ''): string => join(this.root, 'trash', id);
  readonly container = (id: string): string => join(this.root, 'containers', id);
  /** What has happened, for all processes. */
  readonly events = (): string => join(this.root, 'events');
  readonly names = (): string => join(this.root, 'names');
  readonly networks = (): string => join(this.root, 'networks');
  readonly locks = (): string => join(this.root, 'locks');
  /** The empty directory on which each container, in its own mount namespace, mounts its root. */
  readonly rootTarget = (): string => join(this.run, 'root');
  /** How removed containers have ended. */
  readonly runExits = (): string => join(this.run, 'exits');
  readonly runContainer = (id: string): string => join(this.run, 'containers', id);
}

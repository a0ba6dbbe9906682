import type { ExitStatus } from './exit-status.js';

/** What happened, in any process that uses the root. Names of actions are Docker's. */
export type EngineEvent = ContainerEvent | ImageEvent;

/** Whose event it is. */
export interface ContainerEventSubject {
  readonly type: 'container';
  readonly id: string;
  /** Its name then; for what its supervisor tells (`start`, `die`), its name when it was started. */
  readonly name: string;
  /** Reference of its image; undefined for one on files of the host. */
  readonly image: string | undefined;
  /** None when they are more than 4 KiB. */
  readonly labels: Readonly<Record<string, string>>;
  readonly time: Date;
}

/** What happened to a container. Of one container, events come in the order in which it happened. */
export type ContainerEvent = ContainerEventSubject & ContainerEventDetail;

/** By action. */
export type ContainerEventDetail =
  | { readonly action: 'create' | 'pause' | 'unpause' | 'stop' | 'update' | 'destroy' }
  /** Each run, by a restart policy too. */
  | { readonly action: 'start'; readonly pid: number }
  /** A run has ended. */
  | { readonly action: 'die'; readonly exit: ExitStatus }
  /** A signal was sent to its first process. */
  | { readonly action: 'kill'; readonly signal: string }
  | { readonly action: 'rename'; readonly oldName: string }
  /** `imageId` is what was made of it. */
  | { readonly action: 'commit'; readonly imageId: string }
  | { readonly action: 'health_status'; readonly health: string };

/** What happened to an image. */
export interface ImageEvent {
  readonly type: 'image';
  readonly action: ImageEventAction;
  /** Its digest. */
  readonly id: string;
  /** Its name, if it has one. */
  readonly name: string | undefined;
  readonly time: Date;
}

/** `load` is also for what was pushed to an engine's own registry, `import` for one made of files of the host. */
export type ImageEventAction = 'pull' | 'push' | 'tag' | 'untag' | 'delete' | 'load' | 'save' | 'import';

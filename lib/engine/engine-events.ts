import { EventEmitter } from 'eventemitter3';
import type { ContainerRecord } from '../container/container-record.js';
import type { ContainerEventSink } from '../container/container-services.js';
import type { ContainerHealth } from '../container/health/container-health.js';
import type { ImageEventAction } from '../core/engine-event.js';
import type { ExitStatus } from '../core/exit-status.js';
import type { ProcessIdentity } from '../core/process-identity.js';
import type { CgroupResources } from '../runtime/cgroup/resources.js';
import type { LaunchedProcess } from '../runtime/launcher.js';
import type { ProcessJournal } from '../runtime/process-journal.js';
import { containerMembers, encodeContainerEvent, encodeImageEvent, type WrittenDetail } from './events/event-codec.js';
import type { EventJournal } from './events/event-journal.js';

/** What an engine tells in its own process. */
export interface EngineEvents {
  'container.created': { readonly id: string; readonly name: string };
  'container.started': { readonly id: string; readonly name: string; readonly pid: number };
  'container.exited': { readonly id: string; readonly name: string; readonly exit: ExitStatus };
  /** It has just ended (`container.exited`), and its restart policy starts it again after `delayMs`. */
  'container.restarting': { readonly id: string; readonly name: string; readonly delayMs: number };
  /** The function that gets a container's log has missed something (`LOG_OVERRUN`: it goes on), or gets no more. */
  'container.logFailed': { readonly id: string; readonly name: string; readonly error: unknown };
  'container.paused': { readonly id: string; readonly name: string };
  'container.unpaused': { readonly id: string; readonly name: string };
  /** The status has changed: a first success, or as many failures in a row as `retries`. */
  'container.health': {
    readonly id: string;
    readonly name: string;
    readonly status: ContainerHealth['status'];
    readonly failingStreak: number;
  };
  /** A health check could not be performed, or its result not be noted; it is tried again. */
  'container.healthFailed': { readonly id: string; readonly name: string; readonly error: unknown };
  'container.removed': { readonly id: string; readonly name: string };
  'container.renamed': { readonly id: string; readonly name: string; readonly oldName: string };
  /** `resources` are all limits that the container has now. */
  'container.updated': { readonly id: string; readonly name: string; readonly resources: CgroupResources };
  /** Something that happened could not be written down for `engine.events()`, e.g. because the disk is full. */
  'journal.failed': { readonly path: string; readonly error: unknown };
}

/** The events of an engine. */
export type EngineEventName = keyof EngineEvents;
/** Is called with what happened. */
export type EngineEventListener<Name extends EngineEventName> = (event: EngineEvents[Name]) => void;

/**
 * Carries events to listeners, each isolated from the others and from the engine: a listener that throws fails alone,
 * as an uncaught exception of its own turn. Events report; nothing in the engine depends on them.
 */
export class EngineEventHub implements ContainerEventSink {
  readonly #emitter = new EventEmitter();
  /** When the last run of a container ended that was told of. */
  readonly #told = new Map<string, number>();

  #journal: EventJournal | undefined;

  /** From here on everybody is told, not only this process. */
  open(journal: EventJournal): void {
    this.#journal = journal;
  }

  /** Returns how to stop listening. */
  on<Name extends EngineEventName>(name: Name, listener: EngineEventListener<Name>): () => void {
    const guarded = (event: EngineEvents[Name]): void => {
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    };
    this.#emitter.on(name, guarded);
    return () => void this.#emitter.off(name, guarded);
  }

  journal(container: ContainerRecord): ProcessJournal | undefined {
    return this.#journal && { file: this.#journal.file, subject: containerMembers(container) };
  }

  created(container: ContainerRecord): void {
    this.#emit('container.created', whose(container));
    this.#tell(container, { action: 'create' });
  }

  started(container: ContainerRecord, process: LaunchedProcess): void {
    this.#emit('container.started', { ...whose(container), pid: process.identity.pid });
    process.exited.then(
      (exit) => this.#exited(container, exit),
      () => undefined, // the supervisor was killed: how the container ended is not known, so nothing is told
    );
  }

  restarting(container: ContainerRecord, exit: ExitStatus, delayMs: number): void {
    this.#exited(container, exit);
    this.#emit('container.restarting', { ...whose(container), delayMs });
  }

  restarted(container: ContainerRecord, { pid }: ProcessIdentity): void {
    this.#emit('container.started', { ...whose(container), pid });
  }

  logFailed(container: ContainerRecord, error: unknown): void {
    this.#emit('container.logFailed', { ...whose(container), error });
  }

  killed(container: ContainerRecord, signal: string): void {
    this.#tell(container, { action: 'kill', signal });
  }

  stopped(container: ContainerRecord): void {
    this.#tell(container, { action: 'stop' });
  }

  paused(container: ContainerRecord): void {
    this.#emit('container.paused', whose(container));
    this.#tell(container, { action: 'pause' });
  }

  unpaused(container: ContainerRecord): void {
    this.#emit('container.unpaused', whose(container));
    this.#tell(container, { action: 'unpause' });
  }

  updated(container: ContainerRecord, resources: CgroupResources): void {
    this.#emit('container.updated', { ...whose(container), resources });
    this.#tell(container, { action: 'update' });
  }

  renamed(container: ContainerRecord, oldName: string): void {
    this.#emit('container.renamed', { ...whose(container), oldName });
    this.#tell(container, { action: 'rename', oldName });
  }

  committed(container: ContainerRecord, imageId: string): void {
    this.#tell(container, { action: 'commit', imageId });
  }

  removed(container: ContainerRecord): void {
    this.#told.delete(container.id);
    this.#emit('container.removed', whose(container));
    this.#tell(container, { action: 'destroy' });
  }

  healthChanged(container: ContainerRecord, { status, failingStreak }: ContainerHealth): void {
    this.#emit('container.health', { ...whose(container), status, failingStreak });
    this.#tell(container, { action: 'health_status', health: status });
  }

  healthFailed(container: ContainerRecord, error: unknown): void {
    this.#emit('container.healthFailed', { ...whose(container), error });
  }

  readonly image = (action: ImageEventAction, { id, name }: TellableImage): void => {
    this.#write(encodeImageEvent({ type: 'image', action, id, name: name === id ? undefined : name }, new Date()));
  };

  removeAll(): void {
    this.#emitter.removeAllListeners();
  }

  /** A stop in the pause after a run makes that run the last: it has been told already. */
  #exited(container: ContainerRecord, exit: ExitStatus): void {
    if (this.#told.get(container.id) === exit.finishedAt.getTime()) return;
    this.#told.set(container.id, exit.finishedAt.getTime());
    this.#emit('container.exited', { ...whose(container), exit });
  }

  #emit<Name extends EngineEventName>(name: Name, event: EngineEvents[Name]): void {
    this.#emitter.emit(name, event);
  }

  #tell(container: ContainerRecord, detail: WrittenDetail): void {
    this.#write(encodeContainerEvent(container, detail, new Date()));
  }

  /** That something cannot be told must not keep it from happening. */
  #write(line: string): void {
    try {
      this.#journal?.append(line);
    } catch (error) {
      this.#emit('journal.failed', { path: this.#journal?.file ?? '', error });
    }
  }
}

interface TellableImage {
  readonly id: string;
  readonly name?: string | undefined;
}

const whose = ({ id, name }: ContainerRecord): { readonly id: string; readonly name: string } => ({ id, name });

import { EventEmitter } from 'eventemitter3';
import type { ContainerRecord } from '../container/container-record.js';
import type { ContainerEventSink } from '../container/container-services.js';
import type { ContainerHealth } from '../container/health/container-health.js';
import type { ExitStatus } from '../core/exit-status.js';
import type { ProcessIdentity } from '../core/process-identity.js';
import type { CgroupResources } from '../runtime/cgroup/resources.js';
import type { LaunchedProcess } from '../runtime/launcher.js';

/** What an engine tells in its own process. */
export interface EngineEvents {
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
  'container.renamed': { readonly id: string; readonly name: string; readonly oldName: string };
  /** `resources` are all limits that the container has now. */
  'container.updated': { readonly id: string; readonly name: string; readonly resources: CgroupResources };
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

  started({ id, name }: ContainerRecord, process: LaunchedProcess): void {
    this.#emit('container.started', { id, name, pid: process.identity.pid });
    process.exited.then(
      (exit) => this.#exited(id, name, exit),
      () => undefined, // the supervisor was killed: how the container ended is not known, so nothing is told
    );
  }

  restarting({ id, name }: ContainerRecord, exit: ExitStatus, delayMs: number): void {
    this.#exited(id, name, exit);
    this.#emit('container.restarting', { id, name, delayMs });
  }

  restarted({ id, name }: ContainerRecord, { pid }: ProcessIdentity): void {
    this.#emit('container.started', { id, name, pid });
  }

  logFailed({ id, name }: ContainerRecord, error: unknown): void {
    this.#emit('container.logFailed', { id, name, error });
  }

  paused({ id, name }: ContainerRecord): void {
    this.#emit('container.paused', { id, name });
  }

  unpaused({ id, name }: ContainerRecord): void {
    this.#emit('container.unpaused', { id, name });
  }

  updated({ id, name }: ContainerRecord, resources: CgroupResources): void {
    this.#emit('container.updated', { id, name, resources });
  }

  renamed({ id, name }: ContainerRecord, oldName: string): void {
    this.#emit('container.renamed', { id, name, oldName });
  }

  healthChanged({ id, name }: ContainerRecord, { status, failingStreak }: ContainerHealth): void {
    this.#emit('container.health', { id, name, status, failingStreak });
  }

  healthFailed({ id, name }: ContainerRecord, error: unknown): void {
    this.#emit('container.healthFailed', { id, name, error });
  }

  removeAll(): void {
    this.#emitter.removeAllListeners();
  }

  /** A stop in the pause after a run makes that run the last: it has been told already. */
  #exited(id: string, name: string, exit: ExitStatus): void {
    if (this.#told.get(id) === exit.finishedAt.getTime()) return;
    this.#told.set(id, exit.finishedAt.getTime());
    this.#emit('container.exited', { id, name, exit });
  }

  #emit<Name extends EngineEventName>(name: Name, event: EngineEvents[Name]): void {
    this.#emitter.emit(name, event);
  }
}

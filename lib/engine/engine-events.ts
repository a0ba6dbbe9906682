import { EventEmitter } from 'eventemitter3';
import type { ContainerRecord } from '../container/container-record.js';
import type { ContainerEventSink } from '../container/container-services.js';
import type { ExitStatus } from '../core/exit-status.js';
import type { CgroupResources } from '../runtime/cgroup/resources.js';
import type { LaunchedProcess } from '../runtime/launcher.js';

/** What an engine tells in its own process. */
export interface EngineEvents {
  'container.started': { readonly id: string; readonly name: string; readonly pid: number };
  'container.exited': { readonly id: string; readonly name: string; readonly exit: ExitStatus };
  /** The function that gets a container's log has missed something (`LOG_OVERRUN`: it goes on), or gets no more. */
  'container.logFailed': { readonly id: string; readonly name: string; readonly error: unknown };
  'container.paused': { readonly id: string; readonly name: string };
  'container.unpaused': { readonly id: string; readonly name: string };
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
      (exit) => this.#emit('container.exited', { id, name, exit }),
      () => undefined, // the supervisor was killed: how the container ended is not known, so nothing is told
    );
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

  removeAll(): void {
    this.#emitter.removeAllListeners();
  }

  #emit<Name extends EngineEventName>(name: Name, event: EngineEvents[Name]): void {
    this.#emitter.emit(name, event);
  }
}

import type { ImageLayout } from '../helpers/image-layout.js';

/** A container engine in the race: what the measurements ask of it. What it cannot do, it does not have. */
export interface Contestant extends AsyncDisposable {
  readonly name: string;
  readonly version: string;
  /** Creates a container of the busybox image, runs `/bin/true` in it to its end and removes it. */
  readonly run?: (network: Network) => Promise<void>;
  /** The networks that `run` can give a container. */
  readonly networks: readonly Network[];
  /** Starts a container that does nothing, without network. */
  readonly startIdle?: () => Promise<IdleContainer>;
  /** Names (as in /proc/PID/comm) of the processes that each container costs besides its own. */
  readonly helperProcesses: readonly string[];
  /** Pulls an image from a registry on loopback and unpacks it, so that a container could start. */
  readonly pull?: (reference: string) => Promise<void>;
  /** Removes a pulled image with its layers. */
  readonly removeImage?: (reference: string) => Promise<void>;
  /** True when pulling happens in the caller's process: then it can hold up the caller's event loop. */
  readonly pullsInProcess: boolean;
  /**
   * Runs a command of the busybox image and returns how many bytes of its output reached this process. Its environment
   * variable `ROOT`, if set, is where the image's files are.
   */
  readonly readOutput?: (command: readonly string[], log: Log) => Promise<number>;
  /** The logs that `readOutput` can write at the same time. */
  readonly logs: readonly Log[];
}

export type Network = 'none' | 'bridge';

/** `default`: what the engine logs to when nobody says anything. */
export type Log = 'none' | 'default';

export interface IdleContainer {
  /** Runs `/bin/true` in the running container, to its end. */
  readonly exec?: () => Promise<void>;
  /** Runs another command in it. */
  readonly execute?: (command: readonly string[]) => Promise<void>;
  /** Makes an image of it, and gives back how to remove that. */
  readonly commit?: () => Promise<() => Promise<void>>;
  remove(): Promise<void>;
}

/** What contestants are made from. */
export interface Surroundings {
  /** A directory of the contestant's own, removed after it was disposed of. */
  readonly directory: string;
  /** A registry on loopback, `HOST:PORT`. */
  readonly registryHost: string;
  /** The busybox image there, and the same as a layout and as a plain root file system. */
  readonly busyboxReference: string;
  readonly busyboxLayout: ImageLayout;
  readonly busyboxRoot: string;
}

/** Gets a contestant ready, or says why it cannot take part. */
export type ContestantFactory = (surroundings: Surroundings) => Promise<Contestant | { readonly missing: string }>;

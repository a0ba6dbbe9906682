import type { ChildOperation } from './child-operation.js';

/**
 * A launch plan: what the shim does to start one process, as plain data. TypeScript decides everything and writes it
 * down here; the shim executes the operations in order and knows nothing of images, networks or JSON. A plan can be
 * printed, compared, stored, and executed again for a restart.
 *
 * Stages, and who executes them:
 * - `prepare`: the shim, before the child exists. Cgroups are made here.
 * - `parent`: the shim, while the child exists. The child's network namespace is open at {@link CONTAINER_NETNS_FD}.
 * - `child`: the child in its new namespaces. Its `sync` operation waits until `parent` is done.
 * - `cleanup`: the shim, after the container has ended or its start has failed; errors are reported but skip nothing.
 */
export interface LaunchPlan {
  /** Namespaces that are made new for the child. */
  readonly namespaces: readonly NamespaceKind[];
  readonly prepare: readonly PlanOperation[];
  readonly parent: readonly PlanOperation[];
  readonly child: readonly PlanOperation[];
  readonly cleanup: readonly PlanOperation[];
}

/** @see namespaces(7) */
export type NamespaceKind = 'mount' | 'pid' | 'ipc' | 'uts' | 'net' | 'cgroup' | 'user' | 'time';

/** In stage `parent`, netlink messages refer to the container's network namespace by this number (IFLA_NET_NS_FD). */
export const CONTAINER_NETNS_FD = 100;

/** One step. `stage` of a failure report is the stage list that holds it. Paths on the host are absolute. */
export type PlanOperation =
  | MakeDirectory
  | RemoveDirectory
  | WriteFile
  | JoinCgroup
  | Netlink
  | JoinNamespace
  | ReservePort
  | ChildOperation;

/** mkdir(2) on the host; an existing directory is fine. */
export interface MakeDirectory {
  readonly op: 'make-directory';
  readonly path: string;
  readonly mode: number;
}

/** rmdir(2) on the host; a missing directory is fine. Tried again while busy, for up to a second. */
export interface RemoveDirectory {
  readonly op: 'remove-directory';
  readonly path: string;
}

/** Opens an existing host file (cgroup files, sysctls) for writing and writes `data` in one write(2). */
export interface WriteFile {
  readonly op: 'write-file';
  readonly path: string;
  readonly data: string;
}

/** Moves the child (in `parent`) or the shim's future child (in `prepare`) into the cgroup with this directory. */
export interface JoinCgroup {
  readonly op: 'join-cgroup';
  readonly path: string;
}

/**
 * Sends netlink messages on one socket and waits until each message that asks for it (NLM_F_ACK) is acknowledged.
 *
 * In `parent` and `cleanup` it acts on the network namespace of the shim (the host's); in `child` on the container's.
 */
export interface Netlink {
  readonly op: 'netlink';
  readonly protocol: 'route' | 'netfilter';
  /** One or more complete messages, padded to four bytes, sent as one datagram. */
  readonly messages: Uint8Array;
  /** Errnos (positive) that count as success, e.g. ENOENT in a clean-up. */
  readonly tolerate: readonly number[];
  /** What each acknowledged message does, for error messages; not sent to the shim. */
  readonly labels: readonly string[];
}

/** setns(2) to the namespace of a running process, identified by its pid and start time (proc(5), field 22). */
export interface JoinNamespace {
  readonly op: 'join-namespace';
  readonly kinds: readonly NamespaceKind[];
  readonly pid: number;
  readonly startTicks: bigint;
}

/** Binds a socket that the shim keeps for the life of the container, so that no other program gets the host port. */
export interface ReservePort {
  readonly op: 'reserve-port';
  readonly protocol: 'tcp' | 'udp';
  /** IPv4 or IPv6 literal. */
  readonly address: string;
  readonly port: number;
}

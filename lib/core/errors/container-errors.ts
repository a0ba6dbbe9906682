import type { ErrorTable } from './error-definition.js';

/** Errors of containers and of the processes in them. */
export interface ContainerErrors {
  NO_SUCH_CONTAINER: { readonly reference: string };
  AMBIGUOUS_CONTAINER: { readonly reference: string; readonly matches: readonly string[] };
  INVALID_NAME: { readonly what: string; readonly value: string; readonly expected: string };
  NAME_TAKEN: { readonly what: string; readonly name: string; readonly by: string };
  WRONG_STATE: { readonly id: string; readonly status: string; readonly wanted: string };
  PROGRAM_NOT_FOUND: { readonly program: string; readonly exitCode: 127 };
  PROGRAM_NOT_EXECUTABLE: { readonly program: string; readonly errno: string; readonly exitCode: 126 };
  /** In a container. */
  NO_SUCH_PATH: { readonly path: string };
  /** A directory is in the way of something else, or something else of a directory. */
  PATH_CONFLICT: { readonly path: string; readonly reason: string };
  /** Its root is in memory, or is a directory of the host itself. */
  NOT_COMPARABLE: { readonly id: string };
  NO_SUCH_USER: { readonly user: string; readonly reason: string };
  LAUNCH_FAILED: {
    readonly stage: string;
    readonly operation: string;
    readonly errno: string;
    readonly operand: string;
    readonly hint: string;
  };
  SHIM_MISSING: { readonly searched: readonly string[]; readonly hint: string };
  SHIM_FAILED: { readonly what: string };
  OUTPUT_TOO_LARGE: { readonly stream: string; readonly maxBytes: number };
  NOT_ATTACHABLE: { readonly socket: string };
  ATTACH_OVERRUN: { readonly bufferBytes: number };
  LOG_OVERRUN: { readonly id: string; readonly lostBytes: number };
  /** Newer events have replaced some that this reader has not seen. */
  EVENTS_OVERRUN: { readonly path: string };
  CONTROLLER_MISSING: { readonly option: string; readonly controller: string; readonly hint: string };
  RUN_TIMEOUT: { readonly id: string; readonly timeoutMs: number };
  /** A configuration in the form of the OCI runtime-spec; `path` is the place inside it. */
  INVALID_OCI_CONFIG: { readonly path: string; readonly reason: string };
  INVALID_CONTAINER_ID: { readonly id: string; readonly reason: string };
  HOOK_FAILED: { readonly hook: string; readonly path: string; readonly reason: string };
  PAUSE_TIMEOUT: { readonly path: string; readonly state: string; readonly timeoutMs: number };
}

export const containerErrors: ErrorTable<ContainerErrors> = {
  NO_SUCH_CONTAINER: { kind: 'not-found', message: (d) => `no such container: ${d.reference}` },
  AMBIGUOUS_CONTAINER: {
    kind: 'invalid',
    message: (d) => `'${d.reference}' means several containers: ${d.matches.join(', ')}`,
  },
  INVALID_NAME: { kind: 'invalid', message: (d) => `${d.what} '${d.value}': expected ${d.expected}` },
  NAME_TAKEN: { kind: 'conflict', message: (d) => `${d.what} name '${d.name}' is taken by ${d.by}` },
  WRONG_STATE: { kind: 'conflict', message: (d) => `container ${d.id} is ${d.status}, it must be ${d.wanted}` },
  PROGRAM_NOT_FOUND: { kind: 'not-found', message: (d) => `program '${d.program}' does not exist in the container` },
  PROGRAM_NOT_EXECUTABLE: { kind: 'denied', message: (d) => `program '${d.program}' cannot be executed: ${d.errno}` },
  NO_SUCH_PATH: { kind: 'not-found', message: (d) => `there is no ${d.path} in the container` },
  PATH_CONFLICT: { kind: 'conflict', message: (d) => `${d.path} is in the way: ${d.reason}` },
  NOT_COMPARABLE: { kind: 'unsupported', message: (d) => `container ${d.id} has no layers to compare its root with` },
  NO_SUCH_USER: { kind: 'invalid', message: (d) => `user '${d.user}': ${d.reason}` },
  LAUNCH_FAILED: {
    kind: 'unavailable',
    message: (d) =>
      `container could not be started: stage ${d.stage}, ${d.operation} ${d.operand}: ${d.errno}${d.hint === '' ? '' : ` (${d.hint})`}`,
  },
  SHIM_MISSING: {
    kind: 'unsupported',
    message: (d) => `tscontainer-shim not found in ${d.searched.join(', ')}; ${d.hint}`,
  },
  SHIM_FAILED: { kind: 'internal', message: (d) => `tscontainer-shim: ${d.what}` },
  OUTPUT_TOO_LARGE: { kind: 'invalid', message: (d) => `${d.stream} is larger than ${d.maxBytes} bytes` },
  NOT_ATTACHABLE: {
    kind: 'unavailable',
    message: (d) => `nobody to attach to at ${d.socket}: it has ended, or has as many attachers as it takes`,
  },
  ATTACH_OVERRUN: {
    kind: 'unavailable',
    message: (d) => `output came faster than it was read: more than ${d.bufferBytes} bytes had to wait`,
  },
  LOG_OVERRUN: {
    kind: 'unavailable',
    message: (d) => `${d.lostBytes} bytes of the log of ${d.id} were removed before they could be read`,
  },
  EVENTS_OVERRUN: {
    kind: 'unavailable',
    message: (d) => `events came faster than they were read: some of ${d.path} are gone`,
  },
  CONTROLLER_MISSING: {
    kind: 'unsupported',
    message: (d) => `option ${d.option} needs the cgroup controller ${d.controller}, which is not usable: ${d.hint}`,
  },
  RUN_TIMEOUT: { kind: 'unavailable', message: (d) => `container ${d.id} did not end within ${d.timeoutMs} ms` },
  INVALID_OCI_CONFIG: { kind: 'invalid', message: (d) => `${d.path}: ${d.reason}` },
  INVALID_CONTAINER_ID: { kind: 'invalid', message: (d) => `${d.reason} in the container ID '${d.id}'` },
  HOOK_FAILED: { kind: 'unavailable', message: (d) => `${d.hook} hook ${d.path}: ${d.reason}` },
  PAUSE_TIMEOUT: {
    kind: 'unavailable',
    message: (d) => `processes did not stop within ${d.timeoutMs} ms: ${d.path} says '${d.state}'`,
  },
};

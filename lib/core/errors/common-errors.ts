import type { ErrorTable } from './error-definition.js';

/** Errors that belong to no single layer. */
export interface CommonErrors {
  INVALID_OPTION: { readonly option: string; readonly expected: string; readonly got: string };
  CLOSED: { readonly what: string };
  TOO_LARGE: { readonly what: string; readonly maxBytes: number };
  CORRUPT_RECORD: { readonly path: string; readonly expected: string };
  UNKNOWN_VERSION: { readonly path: string; readonly version: string; readonly supported: string };
  SYSTEM_CALL_FAILED: {
    readonly syscall: string;
    readonly errno: string;
    readonly operand: string;
    readonly hint: string;
  };
  NO_SPACE: { readonly path: string };
  UNSUPPORTED_HOST: { readonly missing: string; readonly hint: string };
  LOCK_TIMEOUT: { readonly path: string; readonly timeoutMs: number };
  INTERNAL: { readonly what: string };
}

export const commonErrors: ErrorTable<CommonErrors> = {
  INVALID_OPTION: { kind: 'invalid', message: (d) => `option ${d.option}: expected ${d.expected}, got ${d.got}` },
  CLOSED: { kind: 'conflict', message: (d) => `${d.what} is closed` },
  TOO_LARGE: { kind: 'invalid', message: (d) => `${d.what} is larger than ${d.maxBytes} bytes` },
  CORRUPT_RECORD: { kind: 'corrupt', message: (d) => `${d.path}: expected ${d.expected}` },
  UNKNOWN_VERSION: {
    kind: 'unsupported',
    message: (d) => `${d.path}: version ${d.version} is unknown, supported: ${d.supported}`,
  },
  SYSTEM_CALL_FAILED: {
    kind: 'internal',
    message: (d) => `${d.syscall} ${d.operand}: ${d.errno}${d.hint === '' ? '' : ` (${d.hint})`}`,
  },
  NO_SPACE: { kind: 'unavailable', message: (d) => `no space left on the device that holds ${d.path}` },
  UNSUPPORTED_HOST: { kind: 'unsupported', message: (d) => `this host cannot run containers: ${d.missing}; ${d.hint}` },
  LOCK_TIMEOUT: { kind: 'unavailable', message: (d) => `lock ${d.path} was not free within ${d.timeoutMs} ms` },
  INTERNAL: { kind: 'internal', message: (d) => `internal fault: ${d.what}` },
};

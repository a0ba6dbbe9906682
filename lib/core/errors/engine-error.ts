import { type CheckpointErrors, checkpointErrors } from './checkpoint-errors.js';
import { type CommonErrors, commonErrors } from './common-errors.js';
import { type ContainerErrors, containerErrors } from './container-errors.js';
import type { ErrorDefinition, ErrorKind } from './error-definition.js';
import { type ImageErrors, imageErrors } from './image-errors.js';
import { type NetworkErrors, networkErrors } from './network-errors.js';
import { type ReadinessErrors, readinessErrors } from './readiness-errors.js';
import { type RegistryErrors, registryErrors } from './registry-errors.js';

/** The typed data of every error code. */
export interface ErrorData
  extends CommonErrors,
    RegistryErrors,
    ImageErrors,
    ContainerErrors,
    CheckpointErrors,
    NetworkErrors,
    ReadinessErrors {}

/** The closed list of error codes. */
export type ErrorCode = keyof ErrorData;

const definitions: { readonly [Code in ErrorCode]: ErrorDefinition<ErrorData[Code]> } = {
  ...commonErrors,
  ...registryErrors,
  ...imageErrors,
  ...containerErrors,
  ...checkpointErrors,
  ...networkErrors,
  ...readinessErrors,
};

const mark = Symbol.for('tscontainer.error');

/**
 * The one class of all failures of this package.
 *
 * `code` says what happened, `kind` says how to react, `data` holds the operands (JSON-safe, no secrets) and `cause`
 * the failure below, if there was one. Failures of clean-up work never replace the first failure: they are listed in
 * `cleanupErrors`.
 */
export class EngineError<Code extends ErrorCode = ErrorCode> extends Error {
  /** How to react: `not-found`, `conflict`, `invalid`, `denied`, `unavailable`, `unsupported`, `corrupt`, `internal`. */
  readonly kind: ErrorKind;
  /** What else went wrong while cleaning up after this failure. */
  cleanupErrors: readonly unknown[] = [];

  constructor(
    readonly code: Code,
    readonly data: ErrorData[Code],
    options?: ErrorOptions,
  ) {
    super(definitions[code].message(data), options);
    this.name = 'EngineError';
    this.kind = definitions[code].kind;
    Object.defineProperty(this, mark, { value: true, enumerable: false });
    Object.defineProperty(this, 'cleanupErrors', { enumerable: false, writable: true, value: [] });
  }

  /** True when `value` is an error of this package (of any loaded copy of it) and, if given, has this `code`. */
  static is<C extends ErrorCode = ErrorCode>(value: unknown, code?: C): value is EngineError<C> {
    return (
      value instanceof Error && mark in value && (code === undefined || (value as unknown as EngineError).code === code)
    );
  }

  /** Code, kind, message, data and the cause's message. */
  toJSON(): object {
    const cause = this.cause instanceof Error ? this.cause.message : undefined;
    return { code: this.code, kind: this.kind, message: this.message, data: this.data, ...(cause && { cause }) };
  }
}

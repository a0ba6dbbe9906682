import { invalidOption } from '../../container/invalid-option.js';
import { EngineError } from '../../core/errors/engine-error.js';
import type { Readiness } from './readiness.js';

/** How {@link forCommand} runs its command. */
export interface CommandReadinessOptions {
  /** A run that takes longer is ended and made again. Default 10 000. */
  readonly attemptTimeoutMs?: number;
  /** Default: the container's. */
  readonly user?: string;
}

/**
 * Ready when a command succeeds in the container, e.g. `['pg_isready']`. It is run again until its exit code is 0.
 *
 * From `waitFor`: EngineError `PROGRAM_NOT_FOUND`, `PROGRAM_NOT_EXECUTABLE`, `NO_SUCH_USER`.
 *
 * @throws EngineError `INVALID_OPTION`.
 */
export function forCommand(command: readonly string[], options: CommandReadinessOptions = {}): Readiness {
  const { attemptTimeoutMs = 10_000, user } = options;
  if (!Array.isArray(command) || command.length === 0) throw invalidOption('command', 'a list of words', command);
  return {
    description: `success of ${command.join(' ')}`,
    wait: ({ container, signal, poll }) =>
      poll(async () => {
        try {
          const execOptions = { timeoutMs: attemptTimeoutMs, signal, ...(user !== undefined && { user }) };
          const { exitCode, stdout, stderr } = await container.exec(command, execOptions);
          return exitCode === 0 || `exit code ${exitCode} ${(stderr || stdout).trim().slice(-500)}`.trim();
        } catch (error) {
          if (!isPassing(error)) throw error;
          return error.message;
        }
      }),
  };
}

/** It is between two runs or at its end, which others notice; the command was too slow, or said too much. */
const isPassing = (error: unknown): error is EngineError =>
  EngineError.is(error, 'WRONG_STATE') ||
  EngineError.is(error, 'RUN_TIMEOUT') ||
  EngineError.is(error, 'OUTPUT_TOO_LARGE');

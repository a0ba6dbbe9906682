import { attachCleanupErrors } from '../core/errors/attach-cleanup-errors.js';

/**
 * Undo steps of work in progress, run in reverse order unless {@link commit} was called.
 *
 * `await using undo = new UndoStack()` undoes on every way out; `undo.fail(error)` does it and lists failures of the
 * undo steps on the error.
 */
export class UndoStack implements AsyncDisposable {
  #steps: (() => Promise<void> | void)[] = [];

  /** Registers `step` before the work that it undoes can be interrupted. */
  defer(step: () => Promise<void> | void): void {
    this.#steps.push(step);
  }

  /** The point of no return: nothing is undone any more. */
  commit(): void {
    this.#steps = [];
  }

  /** Undoes everything, attaches what fails to `primary` and throws `primary`. */
  async fail(primary: unknown): Promise<never> {
    attachCleanupErrors(primary, await this.#unwind());
    throw primary;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const failures = await this.#unwind();
    if (failures.length > 0) throw new AggregateError(failures, 'undo failed');
  }

  async #unwind(): Promise<unknown[]> {
    const failures: unknown[] = [];
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    return failures;
  }
}

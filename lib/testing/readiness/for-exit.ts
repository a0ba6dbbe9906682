import { EngineError } from '../../core/errors/engine-error.js';
import { lastLogLines } from './last-log-lines.js';
import type { Readiness } from './readiness.js';

/**
 * Ready when the container has ended with this exit code: for work that others depend on, like the migration of a database.
 *
 * From `waitFor`: EngineError `ENDED_BEFORE_READY` for another exit code.
 */
export function forExit(exitCode = 0): Readiness {
  const description = `its end with exit code ${exitCode}`;
  return {
    description,
    outlivesContainer: true,
    wait: async ({ container, signal, observe }) => {
      observe('it runs');
      const { finishedAt: _, ...exit } = await container.wait({ signal });
      if (exit.exitCode === exitCode) return;
      const lastLines = await lastLogLines(container);
      const data = { id: container.id, waitedFor: description, ...exit, observed: 'its end', lastLines };
      throw new EngineError('ENDED_BEFORE_READY', data);
    },
  };
}

import { invalidOption } from '../../container/invalid-option.js';
import { EngineError } from '../../core/errors/engine-error.js';
import type { Readiness } from './readiness.js';

/**
 * Ready when its health check, of the image or the option `healthcheck`, says `healthy`. Fails when it says `unhealthy`.
 *
 * From `waitFor`: EngineError `UNHEALTHY`; `INVALID_OPTION` for a container without a health check.
 */
export function forHealth(): Readiness {
  return {
    description: 'its health check',
    wait: ({ container, poll }) =>
      poll(async () => {
        const { health, status } = await container.inspect();
        if (health === undefined) throw invalidOption('healthcheck', 'a health check to wait for', health);
        const output = health.log.at(-1)?.output ?? '';
        if (health.status === 'unhealthy' && status === 'running') {
          const { failingStreak } = health;
          throw new EngineError('UNHEALTHY', { id: container.id, failingStreak, output });
        }
        return health.status === 'healthy' || `${health.status} ${output}`.trim();
      }),
  };
}

import { invalidOption } from '../../container/invalid-option.js';
import type { Readiness } from './readiness.js';

/**
 * Ready when each part has held once. They are waited for at the same time.
 *
 * @throws EngineError `INVALID_OPTION` without parts.
 */
export function allOf(...parts: readonly Readiness[]): Readiness {
  if (parts.length === 0) throw invalidOption('parts', 'one readiness or more', parts);
  return {
    description: parts.map(({ description }) => description).join(' and '),
    outlivesContainer: true, // each part has the container's end for itself
    wait: async ({ hold, observe }) => {
      const open = new Set(parts);
      const one = async (part: Readiness): Promise<void> => {
        await hold(part);
        open.delete(part);
        if (open.size > 0) observe(`no ${[...open].map(({ description }) => description).join(', no ')}`);
      };
      await Promise.all(parts.map(one));
    },
  };
}

import type { Container } from '../../container/container.js';
import { invalidOption } from '../../container/invalid-option.js';
import { orAbort } from '../../util/abort.js';
import type { Readiness } from './readiness.js';

/**
 * Ready when a function says so, e.g. one that connects with a client of the service. It is called again while it returns false
 * or throws; what it throws is what was seen last.
 *
 * @param isReady - should end what it does when `signal` aborts; it is not waited for then.
 * @throws EngineError `INVALID_OPTION`.
 */
export function forCondition(
  isReady: (container: Container, signal: AbortSignal) => boolean | Promise<boolean>,
  description = 'a condition',
): Readiness {
  if (typeof isReady !== 'function') throw invalidOption('isReady', 'a function', isReady);
  return {
    description,
    wait: ({ container, signal, poll }) =>
      poll(async () => {
        try {
          const answer = await orAbort(Promise.resolve(isReady(container, signal)), signal);
          return answer === true || 'it does not hold';
        } catch (error) {
          signal.throwIfAborted();
          return error instanceof Error ? error.message || error.name : String(error);
        }
      }),
  };
}

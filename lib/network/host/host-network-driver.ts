import type { NetworkDriver } from '../network-driver.js';
import { refusePorts } from '../refuse-ports.js';

/** The host's own network namespace: no isolation, nothing to set up. Keeps no state. */
export function createHostNetworkDriver(): NetworkDriver {
  return {
    name: 'host',
    attach: async ({ ports, signal }) => {
      signal?.throwIfAborted();
      refusePorts(ports, 'host');
      return {
        namespace: 'host',
        addresses: [],
        ports: [],
        plan: { prepare: [], parent: [], child: [], cleanup: [] },
      };
    },
    inspect: async () => undefined,
    detach: async () => undefined,
    sweep: async () => undefined,
  };
}

import { setLinkUp } from '../netlink/route/link.js';
import { netlinkOperation } from '../netlink-operation.js';
import type { NetworkDriver } from '../network-driver.js';
import { refusePorts } from '../refuse-ports.js';

const LOOPBACK_INDEX = 1;

/** A network namespace of its own with nothing but loopback. Keeps no state. */
export function createNoneNetworkDriver(): NetworkDriver {
  return {
    name: 'none',
    attach: async ({ ports, signal }) => {
      signal?.throwIfAborted();
      refusePorts(ports, 'none');
      return {
        namespace: 'new',
        addresses: [],
        ports: [],
        plan: { prepare: [], parent: [], child: [netlinkOperation('route', [setLinkUp(LOOPBACK_INDEX)])], cleanup: [] },
      };
    },
    inspect: async () => undefined,
    detach: async () => undefined,
    sweep: async () => undefined,
  };
}

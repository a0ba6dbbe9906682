import { createHostNetworkDriver } from '#lib/network/host/host-network-driver.js';
import { createMemoryNetworkDriver } from '#lib/network/memory/memory-network-driver.js';
import type { NetworkDriver } from '#lib/network/network-driver.js';
import { createNoneNetworkDriver } from '#lib/network/none/none-network-driver.js';
import { networkDriverContract } from '#lib/testing/contracts/network-driver-contract.js';
import { createBridgeLab } from '../helpers/bridge-lab.js';

const stateless = (create: () => NetworkDriver) => async () => ({ driver: create(), close: async () => undefined });

networkDriverContract({
  name: 'memory',
  namespace: 'new',
  addresses: true,
  open: stateless(createMemoryNetworkDriver),
});
networkDriverContract({ name: 'none', namespace: 'new', addresses: false, open: stateless(createNoneNetworkDriver) });
networkDriverContract({ name: 'host', namespace: 'host', addresses: false, open: stateless(createHostNetworkDriver) });
networkDriverContract({
  name: 'bridge',
  namespace: 'new',
  addresses: true,
  open: async () => {
    const lab = createBridgeLab();
    return { driver: lab.driver, close: () => lab[Symbol.asyncDispose]() };
  },
});

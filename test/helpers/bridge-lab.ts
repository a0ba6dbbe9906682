import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BridgeNetworkDriver,
  type BridgeNetworkOptions,
  createBridgeNetworkDriver,
} from '#lib/network/bridge/bridge-network-driver.js';
import type { Endpoint } from '#lib/network/network-driver.js';
import { parsePortMappings } from '#lib/network/port-mapping.js';
import { inProcessLock } from './in-process-lock.js';
import { libcNetworkWithOpenSockets } from './libc-network.js';
import { createNetworkNamespace, type NetworkNamespace } from './network-namespace.js';
import { connectByPlan } from './plan-interpreter.js';

/** A container as far as networks go: a namespace and its endpoint. */
export interface LabContainer {
  readonly id: string;
  readonly namespace: NetworkNamespace;
  readonly endpoint: Endpoint;
  readonly address: string;
}

/**
 * Two machines made of network namespaces: `host`, in which this process works from now on, with the addresses
 * 192.0.2.1 and 198.51.100.1, and `outside`, 192.0.2.2, which routes everything to it.
 */
export interface BridgeLab extends AsyncDisposable {
  readonly host: NetworkNamespace;
  readonly outside: NetworkNamespace;
  readonly root: string;
  readonly driver: BridgeNetworkDriver;
  /** Another driver on the same host, by default on the same root, as another process would have. */
  otherDriver(options?: Partial<BridgeNetworkOptions>): BridgeNetworkDriver;
  start(id: string, ...ports: string[]): Promise<LabContainer>;
  /** Runs a command of iproute2 or nftables on the host and returns what it prints. */
  host$(command: string): string;
  outside$(command: string): string;
}

export function createBridgeLab(): BridgeLab {
  const host = createNetworkNamespace();
  const outside = createNetworkNamespace();
  const leave = host.enter();
  const root = mkdtempSync(join(tmpdir(), 'tscontainer-network-'));
  const kernel = libcNetworkWithOpenSockets();
  const lock = inProcessLock();
  const containers: LabContainer[] = [];
  const shell = (command: string): string => execFileSync('sh', ['-ec', command], { encoding: 'utf8' });
  const otherDriver = (options: Partial<BridgeNetworkOptions> = {}): BridgeNetworkDriver => {
    const at = options.root ?? root;
    return createBridgeNetworkDriver({ kernel, lock, root: at, directory: join(at, 'networks', 'bridge'), ...options });
  };
  const driver = otherDriver();

  shell(`ip link set lo up
    ip address add 198.51.100.1/32 dev lo
    ip link add uplink type veth peer name uplink netns /proc/${process.pid}/fd/${outside.fd}
    echo 1 > /proc/sys/net/ipv6/conf/uplink/disable_ipv6
    ip address add 192.0.2.1/24 dev uplink
    ip link set uplink up
    ip route add default via 192.0.2.2`);
  outside.run(() =>
    shell(`ip link set lo up
      ip address add 192.0.2.2/24 dev uplink
      ip link set uplink up
      ip route add default via 192.0.2.1`),
  );
  // The kernel tells the two ends about each other in the background.
  const deadline = Date.now() + 10_000;
  while (!shell('ip -brief link show uplink').includes('LOWER_UP')) {
    if (Date.now() > deadline) throw new Error('the link to the outside does not come up');
  }

  return {
    host,
    outside,
    root,
    driver,
    otherDriver,
    start: async (id, ...ports) => {
      const endpoint = await driver.attach({
        containerId: id,
        hostname: id,
        ports: parsePortMappings(ports),
        runDirectory: root,
      });
      const namespace = createNetworkNamespace();
      connectByPlan(endpoint.plan, host, namespace);
      const container = { id, namespace, endpoint, address: endpoint.addresses[0]?.address ?? '' };
      containers.push(container);
      return container;
    },
    host$: shell,
    outside$: (command) => outside.run(() => shell(command)),
    [Symbol.asyncDispose]: async () => {
      kernel[Symbol.dispose]();
      leave();
      for (const { namespace } of containers) namespace[Symbol.dispose]();
      host[Symbol.dispose]();
      outside[Symbol.dispose]();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

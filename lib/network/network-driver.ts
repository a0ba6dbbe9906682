import type { Abortable } from '../core/abortable.js';
import type { PlanOperation } from '../runtime/launch-plan.js';
import type { PortMapping } from './port-mapping.js';

export interface AttachRequest extends Abortable {
  /** Id of the container: the key of its endpoint. */
  readonly containerId: string;
  readonly hostname: string;
  readonly ports: readonly PortMapping[];
  /** Directory of the run state of this container; lost at reboot. */
  readonly runDirectory: string;
}

/** An address of a container in a network. */
export interface EndpointAddress {
  readonly address: string;
  readonly prefixLength: number;
  readonly gateway: string | undefined;
  readonly macAddress: string;
}

/** How a container is connected, and what the launcher must do for it. */
export interface Endpoint {
  /** `new` network namespace, or that of the host. */
  readonly namespace: 'new' | 'host';
  readonly addresses: readonly EndpointAddress[];
  /** Published ports with their final host ports. */
  readonly ports: readonly PortMapping[];
  /**
   * Plan operations of stage `prepare` (ports), `parent` (host side), `child` (inside, before the host's /proc is
   * out of sight and before capabilities are dropped), `cleanup`.
   */
  readonly plan: {
    readonly prepare: readonly PlanOperation[];
    readonly parent: readonly PlanOperation[];
    readonly child: readonly PlanOperation[];
    readonly cleanup: readonly PlanOperation[];
  };
}

/**
 * One kind of network: `bridge`, `host`, `none`, …
 *
 * `attach` reserves what the endpoint needs (address, ports) and makes the network itself ready on the host; the
 * operations that it returns are executed by the shim at every start of the container. Attaching a container again gives
 * back what it had and reserves anew. `detach` gives the reservation
 * back. Reservations are kept in files, so several processes can share a network.
 */
export interface NetworkDriver {
  readonly name: string;
  /**
   * @throws EngineError `ADDRESS_POOL_EXHAUSTED`, `SUBNET_CONFLICT`, `PORT_TAKEN`, `INVALID_PORT_MAPPING`,
   * `NETWORK_UNSUPPORTED`, `NETLINK_FAILED`.
   */
  attach(request: AttachRequest): Promise<Endpoint>;
  /** What a container that is attached has; undefined for any other. */
  inspect(containerId: string): Promise<Pick<Endpoint, 'addresses' | 'ports'> | undefined>;
  /** Gives address and ports back; an unknown container is fine. */
  detach(containerId: string): Promise<void>;
  /**
   * Removes from the host what belongs to dead containers (firewall elements, addresses, an unused bridge).
   *
   * @param isAlive Asked for each container that has something here, after that was seen. A container whose own record
   * is written before `attach` is called is therefore never taken for dead, whichever process attaches it.
   */
  sweep(isAlive: (containerId: string) => boolean | Promise<boolean>): Promise<void>;
}

import type { Container } from '../../container/container.js';
import { invalidOption } from '../../container/invalid-option.js';
import type { PortMapping } from '../../network/port-mapping.js';

/** A container of {@link startServices} that is ready. */
export class StartedService {
  /** @internal */
  constructor(
    readonly name: string,
    readonly container: Container,
    private readonly network: {
      readonly addresses: readonly { readonly address: string }[];
      readonly ports: readonly PortMapping[];
    },
  ) {}

  /** In its network; undefined when that has none (`none`, `host`), or the container has ended. */
  get address(): string | undefined {
    return this.network.addresses[0]?.address;
  }

  /**
   * `ADDRESS:PORT`, as other containers and this host reach it; no port needs to be published.
   *
   * @throws EngineError `INVALID_OPTION` when it has no address.
   */
  endpoint(containerPort: number): string {
    if (this.address === undefined)
      throw invalidOption('network', 'one with addresses', `none of service ${this.name}`);
    return `${this.address}:${containerPort}`;
  }

  /**
   * The port of this host at which a port of the container is published.
   *
   * @throws EngineError `INVALID_OPTION` for one that is not published.
   */
  hostPort(containerPort: number, protocol: 'tcp' | 'udp' = 'tcp'): number {
    const { ports } = this.network;
    const found = ports.find((each) => each.containerPort === containerPort && each.protocol === protocol);
    if (found !== undefined) return found.hostPort;
    const published = ports.map((each) => `${each.containerPort}/${each.protocol}`).join(', ');
    throw invalidOption('containerPort', `a published port (${published || 'there is none'})`, containerPort);
  }
}

/** A published port. */
export interface PortMapping {
  /** Host address; `0.0.0.0` means every IPv4 address, loopback included. */
  readonly hostAddress: string;
  /** 0 until a free one has been chosen. */
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp';
}

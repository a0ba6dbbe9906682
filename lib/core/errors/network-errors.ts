import type { ErrorTable } from './error-definition.js';

/** Errors of networks, addresses and published ports. */
export interface NetworkErrors {
  NO_SUCH_NETWORK: { readonly reference: string };
  NETWORK_IN_USE: { readonly network: string; readonly endpoints: readonly string[] };
  ADDRESS_POOL_EXHAUSTED: { readonly network: string; readonly subnet: string };
  SUBNET_CONFLICT: { readonly subnet: string; readonly with: string };
  PORT_TAKEN: { readonly address: string; readonly port: number; readonly protocol: string };
  INVALID_PORT_MAPPING: { readonly mapping: string; readonly reason: string };
  NETLINK_FAILED: { readonly request: string; readonly errno: string; readonly hint: string };
  NETWORK_UNSUPPORTED: { readonly what: string; readonly reason: string };
}

export const networkErrors: ErrorTable<NetworkErrors> = {
  NO_SUCH_NETWORK: { kind: 'not-found', message: (d) => `no such network: ${d.reference}` },
  NETWORK_IN_USE: { kind: 'conflict', message: (d) => `network ${d.network} is used by ${d.endpoints.join(', ')}` },
  ADDRESS_POOL_EXHAUSTED: {
    kind: 'unavailable',
    message: (d) => `network ${d.network}: no free address in ${d.subnet}`,
  },
  SUBNET_CONFLICT: { kind: 'conflict', message: (d) => `subnet ${d.subnet} overlaps ${d.with}` },
  PORT_TAKEN: { kind: 'conflict', message: (d) => `port ${d.address}:${d.port}/${d.protocol} is already in use` },
  INVALID_PORT_MAPPING: { kind: 'invalid', message: (d) => `port mapping '${d.mapping}': ${d.reason}` },
  NETLINK_FAILED: {
    kind: 'unavailable',
    message: (d) => `${d.request}: ${d.errno}${d.hint === '' ? '' : ` (${d.hint})`}`,
  },
  NETWORK_UNSUPPORTED: { kind: 'unsupported', message: (d) => `${d.what}: ${d.reason}` },
};

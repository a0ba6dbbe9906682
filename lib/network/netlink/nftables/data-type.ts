import { be16, be32, concat, padded, u8 } from '../bytes.js';

/** What a key or a value of a set consists of; the numbers are those that nft(8) shows names for. */
export const dataTypes = {
  ipv4_addr: { id: 7, bytes: 4 },
  inet_proto: { id: 12, bytes: 1 },
  inet_service: { id: 13, bytes: 2 },
} as const;
export type DataType = keyof typeof dataTypes;

const BITS_PER_TYPE = 6;

/** The number of a concatenation of types. */
export function concatenatedId(types: readonly DataType[]): number {
  return types.reduce((id, type) => (id << BITS_PER_TYPE) | dataTypes[type].id, 0);
}

/** The length of a concatenation: each part fills whole registers of four bytes. */
export function concatenatedBytes(types: readonly DataType[]): number {
  return types.length === 1
    ? types.reduce((sum, type) => sum + dataTypes[type].bytes, 0)
    : types.reduce((sum, type) => sum + Math.ceil(dataTypes[type].bytes / 4) * 4, 0);
}

/** One value out of several, each padded to a register. */
export function concatenated(...parts: readonly Uint8Array[]): Uint8Array {
  return concat(...parts.map(padded));
}

export const protocolNumbers = { tcp: 6, udp: 17 } as const;
export type TransportProtocol = keyof typeof protocolNumbers;

export const protocolValue = (protocol: TransportProtocol): Uint8Array => u8(protocolNumbers[protocol]);
export const portValue = (port: number): Uint8Array => be16(port);
export const addressValue = (address: number): Uint8Array => be32(address);

/** An interface name as rules compare it: sixteen bytes. */
export function interfaceName(name: string): Uint8Array {
  const bytes = Buffer.alloc(16);
  bytes.write(name, 0, 15, 'utf8');
  return bytes;
}

import { attribute, nested } from '../attribute.js';
import { be32, concat, cString, u32 } from '../bytes.js';
import { interfaceName } from './data-type.js';

/** An encoded expression: what a rule is a list of. They pass values on in registers. @see linux/netfilter/nf_tables.h */
export type Expression = Uint8Array;

/**
 * The registers: four of 16 bytes (1 to 4), or the same memory as sixteen of four bytes (8 to 23). Concatenated values
 * lie in neighbouring small registers; register 8 is where register 1 starts.
 */
export const VERDICT_REGISTER = 0;
export const FIRST_REGISTER = 1;
export const smallRegister = (index: number): number => 8 + index;

const metaKeys = { mark: 3, iifname: 6, oifname: 7, l4proto: 16 } as const;
const payloadBases = { network: 1, transport: 2 } as const;
const conntrackKeys = { state: 0, status: 2 } as const;
const verdicts = { drop: 0, accept: 1, jump: -3, goto: -4, return: -5 } as const;
const natTypes = { source: 0, destination: 1 } as const;
const NAT_FAMILY_IPV4 = 2;
const FIB_RESULT_ADDRESS_TYPE = 3;
const fibFlags = { saddr: 1, daddr: 2 } as const;
const DATA_VALUE = 1;
const DATA_VERDICT = 2;

/** Bits of `conntrack('state')`. */
export const conntrackState = { invalid: 1, established: 2, related: 4, new: 8 } as const;
/** Bit of `conntrack('status')`: the destination has been rewritten. */
export const STATUS_DESTINATION_NAT = 0x20;
/** Result of `fib` for an address of this host. */
export const ADDRESS_TYPE_LOCAL = 2;

/** Loads a fact about the packet. */
export function meta(key: keyof typeof metaKeys, register = FIRST_REGISTER): Expression {
  return expression('meta', attribute(1, be32(register)), attribute(2, be32(metaKeys[key])));
}

/** Loads bytes of the packet. */
export function payload(
  base: keyof typeof payloadBases,
  offset: number,
  length: number,
  register = FIRST_REGISTER,
): Expression {
  return expression(
    'payload',
    attribute(1, be32(register)),
    attribute(2, be32(payloadBases[base])),
    attribute(3, be32(offset)),
    attribute(4, be32(length)),
  );
}

/** Ends the rule unless the register is (not) equal to `value`. */
export function compare(operator: '==' | '!=', value: Uint8Array, register = FIRST_REGISTER): Expression {
  return expression(
    'cmp',
    attribute(1, be32(register)),
    attribute(2, be32(operator === '==' ? 0 : 1)),
    nested(3, attribute(DATA_VALUE, value)),
  );
}

/** Keeps the bits of `mask` in the register. */
export function mask(bits: Uint8Array, register = FIRST_REGISTER): Expression {
  return expression(
    'bitwise',
    attribute(1, be32(register)),
    attribute(2, be32(register)),
    attribute(3, be32(bits.length)),
    nested(4, attribute(DATA_VALUE, bits)),
    nested(5, attribute(DATA_VALUE, new Uint8Array(bits.length))),
  );
}

/** Loads the state or the status of the connection as a bit set in the machine's byte order. */
export function conntrack(key: keyof typeof conntrackKeys, register = FIRST_REGISTER): Expression {
  return expression('ct', attribute(1, be32(register)), attribute(2, be32(conntrackKeys[key])));
}

/** Loads the type of the packet's address according to the routing table, e.g. {@link ADDRESS_TYPE_LOCAL}. */
export function fibAddressType(address: keyof typeof fibFlags, register = FIRST_REGISTER): Expression {
  return expression(
    'fib',
    attribute(1, be32(register)),
    attribute(2, be32(FIB_RESULT_ADDRESS_TYPE)),
    attribute(3, be32(fibFlags[address])),
  );
}

/** Looks the register up in a set or map and ends the rule if it is not there; a map's data replaces the register. */
export function lookup(set: string, kind: 'set' | 'map', register = FIRST_REGISTER): Expression {
  return expression(
    'lookup',
    attribute(1, cString(set)),
    attribute(2, be32(register)),
    ...(kind === 'map' ? [attribute(3, be32(register))] : []),
  );
}

/** Decides about the packet. */
export function verdict(kind: 'accept' | 'drop' | 'return'): Expression;
export function verdict(kind: 'jump' | 'goto', chain: string): Expression;
export function verdict(kind: keyof typeof verdicts, chain?: string): Expression {
  const code = attribute(1, be32(verdicts[kind]));
  const target = chain === undefined ? [] : [attribute(2, cString(chain))];
  return expression(
    'immediate',
    attribute(1, be32(VERDICT_REGISTER)),
    nested(2, nested(DATA_VERDICT, code, ...target)),
  );
}

/** Rewrites the IPv4 address (in `addressRegister`) and the port (in `portRegister`) of the connection. */
export function nat(
  type: keyof typeof natTypes,
  addressRegister = FIRST_REGISTER,
  portRegister = smallRegister(1),
): Expression {
  return expression(
    'nat',
    attribute(1, be32(natTypes[type])),
    attribute(2, be32(NAT_FAMILY_IPV4)),
    attribute(3, be32(addressRegister)),
    attribute(5, be32(portRegister)),
  );
}

/** Rewrites the source to the address of the interface that the packet leaves through. */
export function masquerade(): Expression {
  return expression('masq');
}

/** Counts packets and bytes. */
export function counter(): Expression {
  return expression('counter');
}

/** Ends the rule unless the packet came in (`iifname`) or goes out (`oifname`) through this interface, or not. */
export function interfaceIs(key: 'iifname' | 'oifname', operator: '==' | '!=', name: string): Expression[] {
  return [meta(key), compare(operator, interfaceName(name))];
}

/** Ends the rule unless the connection has one of these bits. */
export function conntrackHas(key: keyof typeof conntrackKeys, bits: number): Expression[] {
  return [conntrack(key), mask(u32(bits)), compare('!=', u32(0))];
}

function expression(name: string, ...attributes: readonly Uint8Array[]): Expression {
  return concat(attribute(1, cString(name)), nested(2, ...attributes));
}

import { isIPv4, isIPv6 } from 'node:net';
import { EngineError } from '../../core/errors/engine-error.js';
import { systemCallError } from '../system-call-error.js';
import type { Libc } from './libc.js';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_CLOEXEC = 0o2000000;
const EADDRINUSE = 98;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/** Binds and closes a socket; the port that it got, or undefined when somebody else has it. @see bind(2) */
export function probePort(libc: Libc, protocol: 'tcp' | 'udp', address: string, port: number): number | undefined {
  const name = socketAddress(address, port);
  const family = name.length === 16 ? AF_INET : AF_INET6;
  const fd = libc.socket(family, (protocol === 'tcp' ? 1 : 2) | SOCK_CLOEXEC, 0);
  if (fd < 0) throw systemCallError('socket', libc.errno(), address);
  try {
    if (family === AF_INET6) libc.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, Uint8Array.of(1, 0, 0, 0), 4);
    if (libc.bind(fd, name, name.length) < 0) {
      const errno = libc.errno();
      if (errno === EADDRINUSE) return undefined;
      throw systemCallError('bind', errno, `${address}:${port}`);
    }
    const size = Uint8Array.of(name.length, 0, 0, 0);
    if (libc.getsockname(fd, name, size) < 0) throw systemCallError('getsockname', libc.errno(), address);
    return new DataView(name.buffer).getUint16(2);
  } finally {
    libc.close(fd);
  }
}

/** struct sockaddr_in or sockaddr_in6. @see ip(7), ipv6(7) */
function socketAddress(address: string, port: number): Uint8Array {
  if (isIPv4(address)) {
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setUint16(0, AF_INET, true);
    new DataView(bytes.buffer).setUint16(2, port);
    bytes.set(address.split('.').map(Number), 4);
    return bytes;
  }
  // Neither a zone nor an IPv4 address inside can be published: sockets here take IPv6 alone.
  if (isIPv6(address) && !/[%.]/.test(address)) {
    const bytes = new Uint8Array(28);
    new DataView(bytes.buffer).setUint16(0, AF_INET6, true);
    new DataView(bytes.buffer).setUint16(2, port);
    bytes.set(parseIpv6(address), 8);
    return bytes;
  }
  throw new EngineError('INVALID_OPTION', { option: 'address', expected: 'an IPv4 or IPv6 address', got: address });
}

function parseIpv6(address: string): Uint8Array {
  const [head = '', tail] = address.split('::');
  const words = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16));
  const front = words(head);
  const back = tail === undefined ? [] : words(tail);
  const all = [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
  return Uint8Array.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

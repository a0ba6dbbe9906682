import koffi from 'koffi';
import type { Kernel } from '#lib/kernel/kernel.js';
import { readI32, readU16, readU32 } from '#lib/network/netlink/bytes.js';
import { parseMessages } from '#lib/network/netlink/message.js';

// The few calls into libc that network tests need: netlink, and switching this thread's network namespace. The latter
// is for tests only: it changes the main thread, hence synchronous file access, sockets and new processes, and leaves
// the threads that serve asynchronous file access where they are.
const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int domain, int type, int protocol)');
const bind = libc.func('int bind(int fd, const void *address, unsigned int length)');
const setsockopt = libc.func('int setsockopt(int fd, int level, int name, const void *value, unsigned int length)');
const getsockname = libc.func('int getsockname(int fd, _Out_ void *address, _Inout_ unsigned int *length)');
const send = libc.func('long send(int fd, const void *data, size_t length, int flags)');
const recv = libc.func('long recv(int fd, _Out_ void *data, size_t length, int flags)');
const closeFd = libc.func('int close(int fd)');
const dup2 = libc.func('int dup2(int from, int to)');
const unshare = libc.func('int unshare(int flags)');
const setns = libc.func('int setns(int fd, int type)');

const CLONE_NEWNET = 0x40000000;
const AF_INET = 2;
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 0o2000003;
const protocols = { route: 0, netfilter: 12 };
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const ACK = 0x4;
const DUMP = 0x300;
const MULTI = 0x2;

function check(result: number, call: string): number {
  if (result >= 0) return result;
  const errno = koffi.errno();
  throw Object.assign(new Error(`${call}: errno ${errno}`), { errno });
}

export const makeNetworkNamespace = (): void => void check(unshare(CLONE_NEWNET), 'unshare');
export const enterNetworkNamespace = (fd: number): void => void check(setns(fd, CLONE_NEWNET), 'setns');
export const duplicateFd = (from: number, to: number): void => void check(dup2(from, to), 'dup2');
export const closeDescriptor = (fd: number): void => void check(closeFd(fd), 'close');

/** The part of the kernel port that network drivers use, with a new netlink socket for each request. */
export const libcNetwork: Pick<Kernel, 'netlink' | 'probePort'> = {
  netlink: (protocol, request) => {
    const fd = openNetlink(protocol);
    try {
      return exchange(fd, request);
    } finally {
      closeFd(fd);
    }
  },
  probePort,
};

/** The same with one socket per protocol, opened in the namespace of the first request and kept until it is closed. */
export function libcNetworkWithOpenSockets(): Pick<Kernel, 'netlink' | 'probePort'> & Disposable {
  const sockets = new Map<string, number>();
  return {
    netlink: (protocol, request) => {
      const fd = sockets.get(protocol) ?? openNetlink(protocol);
      sockets.set(protocol, fd);
      return exchange(fd, request);
    },
    probePort,
    [Symbol.dispose]: () => {
      for (const fd of sockets.values()) closeFd(fd);
      sockets.clear();
    },
  };
}

function openNetlink(protocol: 'route' | 'netfilter'): number {
  const fd = check(socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocols[protocol]), 'socket');
  const one = Buffer.from([1, 0, 0, 0]);
  check(setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, one, 4), 'setsockopt NETLINK_CAP_ACK');
  check(setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, one, 4), 'setsockopt NETLINK_EXT_ACK');
  return fd;
}

function exchange(fd: number, request: Uint8Array): Uint8Array[] {
  check(Number(send(fd, request, request.length, 0)), 'send');
  return receiveAnswers(fd, request);
}

function receiveAnswers(fd: number, request: Uint8Array): Uint8Array[] {
  const messages = parseMessages(request);
  const expected = new Set(
    messages.filter(({ flags }) => (flags & ACK) !== 0 || (flags & DUMP) === DUMP).map((m) => m.sequence),
  );
  const datagrams: Uint8Array[] = [];
  const buffer = Buffer.alloc(64 * 1024);
  while (expected.size > 0) {
    const length = check(Number(recv(fd, buffer, buffer.length, 0)), 'recv');
    const datagram = Buffer.from(buffer.subarray(0, length));
    datagrams.push(datagram);
    for (let offset = 0; offset < length; offset += (readU32(datagram, offset) + 3) & ~3) {
      const type = readU16(datagram, offset + 4);
      const sequence = readU32(datagram, offset + 8);
      const multi = (readU16(datagram, offset + 6) & MULTI) !== 0;
      // A failed first message of an nf_tables batch, which asked for no answer, is the answer for all of it.
      if (type === 2 && !expected.has(sequence) && readI32(datagram, offset + 16) !== 0) return datagrams;
      if (type === 2 || (type === 3 && multi)) expected.delete(sequence);
    }
  }
  return datagrams;
}

function probePort(protocol: 'tcp' | 'udp', address: string, port: number): number | undefined {
  const fd = check(socket(AF_INET, (protocol === 'tcp' ? 1 : 2) | 0o2000000, 0), 'socket');
  try {
    const name = Buffer.alloc(16);
    name.writeUInt16LE(AF_INET, 0);
    name.writeUInt16BE(port, 2);
    Buffer.from(address.split('.').map(Number)).copy(name, 4);
    if (bind(fd, name, 16) < 0) {
      if (koffi.errno() === 98) return undefined;
      check(-1, `bind ${address}:${port}`);
    }
    check(getsockname(fd, name, [16]), 'getsockname');
    return name.readUInt16BE(2);
  } finally {
    closeFd(fd);
  }
}

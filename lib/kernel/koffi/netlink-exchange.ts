import { systemCallError } from '../system-call-error.js';
import type { Libc } from './libc.js';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const MSG_TRUNC = 0x20;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_ACK = 4;
const NLM_F_DUMP = 0x300;
const ANSWER_BYTES = 65_536;
const MSG_DONTWAIT = 0x40;
const protocols = { route: 0, netfilter: 12 } as const;
type NetlinkProtocol = keyof typeof protocols;

/**
 * Requests to the kernel, each with all of its answers. The kernel works on a request within the call to send.
 *
 * The socket to netfilter is kept: closing one after a change waits for a grace period of 8 to 16 ms.
 */
export class NetlinkExchange {
  #netfilterFd: number | undefined;

  constructor(private readonly libc: Libc) {}

  request(protocol: NetlinkProtocol, request: Uint8Array): Uint8Array[] {
    const { libc } = this;
    const fd = protocol === 'netfilter' ? this.#openNetfilter() : openSocket(libc, protocol);
    try {
      if (libc.send(fd, request, request.length, 0) < 0)
        throw systemCallError('send', libc.errno(), `netlink ${protocol}`);
      return receiveAnswers(libc, fd, protocol, countAnswers(request));
    } finally {
      if (protocol !== 'netfilter') libc.close(fd);
    }
  }

  close(): void {
    if (this.#netfilterFd !== undefined) this.libc.close(this.#netfilterFd);
    this.#netfilterFd = undefined;
  }

  /** What a failed batch has left unread belongs to no later request. */
  #openNetfilter(): number {
    if (this.#netfilterFd === undefined) {
      this.#netfilterFd = openSocket(this.libc, 'netfilter');
      return this.#netfilterFd;
    }
    const buffer = new Uint8Array(64);
    while (this.libc.recv(this.#netfilterFd, buffer, buffer.length, MSG_DONTWAIT) > 0);
    return this.#netfilterFd;
  }
}

/** One request whose sending and closing happen on a worker thread: koffi loses errno there, so a failure has no name. */
export async function exchangeNetlinkSlowly(
  libc: Libc,
  protocol: NetlinkProtocol,
  request: Uint8Array,
): Promise<Uint8Array[]> {
  const fd = openSocket(libc, protocol);
  try {
    if ((await libc.sendSlowly(fd, request, request.length, 0)) < 0)
      throw systemCallError('send', 5, `netlink ${protocol}`);
    return receiveAnswers(libc, fd, protocol, countAnswers(request));
  } finally {
    await libc.closeSlowly(fd);
  }
}

function openSocket(libc: Libc, protocol: NetlinkProtocol): number {
  const fd = libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocols[protocol]);
  if (fd < 0) throw systemCallError('socket', libc.errno(), `netlink ${protocol}`);
  const patience = new Uint8Array(16);
  new DataView(patience.buffer).setBigInt64(0, 5n, true);
  libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, patience, patience.length);
  return fd;
}

function receiveAnswers(libc: Libc, fd: number, protocol: string, expected: number): Uint8Array[] {
  const answers: Uint8Array[] = [];
  const buffer = new Uint8Array(ANSWER_BYTES);
  for (let finished = 0; finished < expected; ) {
    const size = libc.recv(fd, buffer, buffer.length, MSG_TRUNC);
    if (size < 0) throw systemCallError('recv', libc.errno(), `netlink ${protocol}`);
    if (size > buffer.length) throw systemCallError('recv', 90, `netlink ${protocol}`);
    const answer = buffer.slice(0, size);
    answers.push(answer);
    const { ends, failed } = countEnds(answer);
    finished += ends;
    // A batch of nf_tables ends at its first error: the rest stays without an answer.
    if (failed && protocol === 'netfilter') break;
  }
  return answers;
}

/** How many messages of the request will be acknowledged or, as dumps, be ended by NLMSG_DONE. */
function countAnswers(request: Uint8Array): number {
  let count = 0;
  for (const { flags } of headers(request)) {
    if ((flags & NLM_F_DUMP) === NLM_F_DUMP || (flags & NLM_F_ACK) !== 0) count += 1;
  }
  return count;
}

function countEnds(answer: Uint8Array): { ends: number; failed: boolean } {
  let ends = 0;
  let failed = false;
  for (const { type, offset, view } of headers(answer)) {
    if (type === NLMSG_DONE || type === NLMSG_ERROR) ends += 1;
    if (type === NLMSG_ERROR && view.getInt32(offset + 16, true) !== 0) failed = true;
  }
  return { ends, failed };
}

function* headers(bytes: Uint8Array): Generator<{ type: number; flags: number; offset: number; view: DataView }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 0; offset + 16 <= bytes.byteLength; ) {
    const size = view.getUint32(offset, true);
    if (size < 16) return;
    yield { type: view.getUint16(offset + 4, true), flags: view.getUint16(offset + 6, true), offset, view };
    offset += (size + 3) & ~3;
  }
}

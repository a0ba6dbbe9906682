import { constants } from 'node:os';
import { EngineError } from '../core/errors/engine-error.js';
import { errnoName } from '../core/errors/errno-name.js';
import type { Kernel } from '../kernel/kernel.js';
import { readAnswer } from './netlink/answer.js';
import { encodeMessages, type NetlinkMessage, type ReceivedMessage } from './netlink/message.js';

export type NetlinkProtocol = 'route' | 'netfilter';

/** Sends requests by some means and returns the answers, one buffer per datagram. */
export type NetlinkTransport = (
  protocol: NetlinkProtocol,
  request: Uint8Array,
) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;

/** Netlink with answers that are read: a refused request is an error. */
export interface NetlinkClient {
  /**
   * Sends the messages as one datagram and returns the data of the answers.
   *
   * @param tolerate Errnos (positive) that count as success.
   * @throws EngineError `NETLINK_FAILED` naming the refused message.
   */
  request(
    protocol: NetlinkProtocol,
    messages: readonly NetlinkMessage[],
    tolerate?: readonly number[],
  ): ReceivedMessage[];
  /** The same for requests for which the kernel takes tens of milliseconds, e.g. deleting an interface. */
  requestSlow(
    protocol: NetlinkProtocol,
    messages: readonly NetlinkMessage[],
    tolerate?: readonly number[],
  ): Promise<ReceivedMessage[]>;
}

/** @param slow How slow requests are sent without blocking the event loop; without it they block. */
export function createNetlinkClient(kernel: Pick<Kernel, 'netlink'>, slow?: NetlinkTransport): NetlinkClient {
  const slowTransport: NetlinkTransport = slow ?? ((protocol, request) => kernel.netlink(protocol, request));
  return {
    request: (protocol, messages, tolerate = []) =>
      checked(messages, tolerate, kernel.netlink(protocol, encodeMessages(messages))),
    requestSlow: async (protocol, messages, tolerate = []) =>
      checked(messages, tolerate, await slowTransport(protocol, encodeMessages(messages))),
  };
}

function checked(
  messages: readonly NetlinkMessage[],
  tolerate: readonly number[],
  datagrams: readonly Uint8Array[],
): ReceivedMessage[] {
  const answer = readAnswer(datagrams);
  const failure = answer.failures.find(({ errno }) => !tolerate.includes(errno));
  if (failure !== undefined) {
    throw new EngineError('NETLINK_FAILED', {
      request: messages[failure.sequence - 1]?.label ?? 'netlink request',
      errno: errnoName(failure.errno),
      hint: failure.text === '' ? hintFor(failure.errno) : failure.text,
    });
  }
  return [...answer.messages];
}

function hintFor(errno: number): string {
  return errno === constants.errno.EPERM ? 'needs CAP_NET_ADMIN in the network namespace of this process' : '';
}

import type { Netlink } from '../runtime/launch-plan.js';
import { encodeMessages, messageFlags, type NetlinkMessage } from './netlink/message.js';
import type { NetlinkProtocol } from './netlink-client.js';

/** The plan operation that sends these messages as one datagram. */
export function netlinkOperation(
  protocol: NetlinkProtocol,
  messages: readonly NetlinkMessage[],
  tolerate: readonly number[] = [],
): Netlink {
  return {
    op: 'netlink',
    protocol,
    messages: encodeMessages(messages),
    tolerate,
    labels: messages.filter(({ flags }) => (flags & messageFlags.acknowledge) !== 0).map(({ label }) => label),
  };
}

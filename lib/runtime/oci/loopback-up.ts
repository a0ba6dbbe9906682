import type { Netlink } from '../launch-plan.js';

const RTM_NEWLINK = 16;
/** NLM_F_REQUEST | NLM_F_ACK */
const FLAGS = 0x5;
const LOOPBACK_INDEX = 1;
const IFF_UP = 1;
const MESSAGE_BYTES = 32;

/** Sets the loopback interface of a new network namespace up: it is always the first. @see rtnetlink(7) */
export function loopbackUp(): Netlink {
  const messages = new Uint8Array(MESSAGE_BYTES);
  const view = new DataView(messages.buffer);
  view.setUint32(0, MESSAGE_BYTES, true);
  view.setUint16(4, RTM_NEWLINK, true);
  view.setUint16(6, FLAGS, true);
  view.setUint32(8, 1, true); // sequence number
  view.setUint32(20, LOOPBACK_INDEX, true); // struct ifinfomsg begins at 16
  view.setUint32(24, IFF_UP, true);
  view.setUint32(28, IFF_UP, true);
  return { op: 'netlink', protocol: 'route', messages, tolerate: [], labels: ['set interface lo up'] };
}

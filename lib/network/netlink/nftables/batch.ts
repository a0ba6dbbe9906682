import type { NetlinkMessage } from '../message.js';
import { generalHeader } from './nft-message.js';

const BATCH_BEGIN = 16;
const BATCH_END = 17;
const SUBSYSTEM = 10;

/**
 * Wraps changes of nf_tables into one transaction: all of them happen, or none.
 *
 * The first and the last message ask for no acknowledgement, since older kernels send none for them; when the kernel
 * refuses the batch as a whole it answers with an error for the first message and with nothing else.
 */
export function batch(changes: readonly NetlinkMessage[]): NetlinkMessage[] {
  const payload = generalHeader(0, SUBSYSTEM);
  return [
    { label: 'begin an nf_tables transaction', type: BATCH_BEGIN, flags: 0, payload },
    ...changes,
    { label: 'end an nf_tables transaction', type: BATCH_END, flags: 0, payload },
  ];
}

import { constants } from 'node:os';
import { EngineError } from '../../core/errors/engine-error.js';
import type { Subnet } from '../ipv4.js';
import { batch } from '../netlink/nftables/batch.js';
import type { TableName } from '../netlink/nftables/nft-message.js';
import { dumpElements, parseElements } from '../netlink/nftables/set.js';
import { deleteTable, getTable } from '../netlink/nftables/table.js';
import type { NetlinkClient } from '../netlink-client.js';
import { firewallTable } from './firewall-rules.js';
import { type PublishedElement, publish, publishMaps, unpublish, unpublishTolerates } from './published-ports.js';

const { ENOENT } = constants.errno;

/** The nf_tables table of one bridge network. @throws EngineError `NETLINK_FAILED`, `NETWORK_UNSUPPORTED`. */
export interface Firewall {
  readonly table: TableName;
  /** True while the table is there; somebody may have flushed the whole rule set. */
  exists(): boolean;
  /** Replaces the table in one step, with these ports published. */
  replace(bridge: string, subnet: Subnet, published: readonly PublishedElement[]): Promise<void>;
  /** Every published port; none when there is no table. */
  published(): PublishedElement[];
  /** Withdraws a port unless it forwards to somebody else by now. */
  withdraw(element: PublishedElement): Promise<void>;
  /** Deletes the table; a missing one is fine. */
  remove(): Promise<void>;
}

export function createFirewall(netlink: NetlinkClient, name: string): Firewall {
  const table: TableName = { family: 'ipv4', table: name };
  function exists(): boolean {
    try {
      return netlink.request('netfilter', [getTable(table)], [ENOENT]).length > 0;
    } catch (error) {
      throw explained(error);
    }
  }

  return {
    table,
    exists,
    replace: async (bridge, subnet, published) => {
      const changes = [...firewallTable(table, bridge, subnet), ...publish(table, published)];
      try {
        await netlink.requestSlow('netfilter', batch(changes));
      } catch (error) {
        throw explained(error);
      }
    },
    published: () =>
      Object.values(publishMaps).flatMap(({ name: map }) =>
        parseElements(netlink.request('netfilter', [dumpElements(table, map)], [ENOENT])).flatMap(({ key, data }) =>
          data === undefined ? [] : [{ map, element: { key, data } }],
        ),
      ),
    withdraw: async (element) => {
      await netlink.requestSlow('netfilter', unpublish(table, element), unpublishTolerates);
    },
    remove: async () => {
      if (exists()) await netlink.requestSlow('netfilter', batch([deleteTable(table)]), [ENOENT]);
    },
  };
}

/** Turns the errors of a kernel without nf_tables, or without a part of it, into one that says so. */
function explained(error: unknown): unknown {
  const reason = missingPart(error);
  if (reason === undefined) return error;
  return new EngineError('NETWORK_UNSUPPORTED', { what: 'address translation', reason }, { cause: error });
}

function missingPart(error: unknown): string | undefined {
  if (EngineError.is(error, 'SYSTEM_CALL_FAILED') && error.data.errno === 'EPROTONOSUPPORT') {
    return 'the kernel has no netfilter netlink';
  }
  if (!EngineError.is(error, 'NETLINK_FAILED')) return undefined;
  const { errno, request } = error.data;
  if (errno === 'EOPNOTSUPP' || errno === 'EINVAL')
    return `the kernel has no nf_tables for IPv4 (${request}: ${errno})`;
  if (errno === 'ENOENT') return `the kernel lacks a part of nf_tables (${request}: ${errno})`;
  return undefined;
}

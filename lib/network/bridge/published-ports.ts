import { constants } from 'node:os';
import { parseIpv4 } from '../ipv4.js';
import type { NetlinkMessage } from '../netlink/message.js';
import { batch } from '../netlink/nftables/batch.js';
import { addressValue, concatenated, portValue, protocolValue } from '../netlink/nftables/data-type.js';
import type { TableName } from '../netlink/nftables/nft-message.js';
import { addElements, deleteElementWithData, type SetElement } from '../netlink/nftables/set.js';
import type { PortMapping } from '../port-mapping.js';

/** A published port is one element of one of these maps. */
export const publishMaps = {
  /** For ports that are published on every address of the host. */
  any: {
    name: 'published-any',
    id: 1,
    key: ['inet_proto', 'inet_service'],
    data: ['ipv4_addr', 'inet_service'],
  },
  /** For ports that are published on one address. */
  specific: {
    name: 'published-specific',
    id: 2,
    key: ['inet_proto', 'ipv4_addr', 'inet_service'],
    data: ['ipv4_addr', 'inet_service'],
  },
} as const;

export const ANY_ADDRESS = '0.0.0.0';

/** An element of one of the maps. */
export interface PublishedElement {
  readonly map: string;
  readonly element: Required<SetElement>;
}

/** The element that forwards a host port to the container with this address. */
export function publishedElement(mapping: PortMapping, containerAddress: string): PublishedElement {
  const protocol = protocolValue(mapping.protocol);
  const port = portValue(mapping.hostPort);
  const data = concatenated(addressValue(parseIpv4(containerAddress)), portValue(mapping.containerPort));
  return mapping.hostAddress === ANY_ADDRESS
    ? { map: publishMaps.any.name, element: { key: concatenated(protocol, port), data } }
    : {
        map: publishMaps.specific.name,
        element: { key: concatenated(protocol, addressValue(parseIpv4(mapping.hostAddress)), port), data },
      };
}

/** Adds elements to their maps. */
export function publish(table: TableName, elements: readonly PublishedElement[]): NetlinkMessage[] {
  return Object.values(publishMaps).flatMap(({ name }) => {
    const own = elements.filter(({ map }) => map === name).map(({ element }) => element);
    return own.length === 0 ? [] : [addElements(table, name, own)];
  });
}

/**
 * The transaction that removes an element, unless its key forwards to somebody else by now. It may be missing.
 *
 * One transaction each, since one that fails changes nothing; {@link unpublishTolerates} lists what is no failure.
 */
export function unpublish(table: TableName, { map, element }: PublishedElement): NetlinkMessage[] {
  return batch(deleteElementWithData(table, map, element));
}

/** `EBUSY`, `EEXIST`: the port is somebody else's. `ENOENT`: the whole table is gone. */
export const unpublishTolerates: readonly number[] = [
  constants.errno.EBUSY,
  constants.errno.EEXIST,
  constants.errno.ENOENT,
];

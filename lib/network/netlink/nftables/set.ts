import { attribute, nested, parseAttributeList, parseAttributes, requireAttribute } from '../attribute.js';
import { be32, cString } from '../bytes.js';
import { messageFlags, type NetlinkMessage, type ReceivedMessage } from '../message.js';
import { concatenatedBytes, concatenatedId, type DataType } from './data-type.js';
import { attributesOf, nftMessage, type TableName } from './nft-message.js';

const setAttribute = {
  table: 1,
  name: 2,
  flags: 3,
  keyType: 4,
  keyBytes: 5,
  dataType: 6,
  dataBytes: 7,
  id: 10,
} as const;
const elementListAttribute = { table: 1, set: 2, elements: 3 } as const;
const elementAttribute = { key: 1, data: 2 } as const;
const LIST_ELEMENT = 1;
const DATA_VALUE = 1;
const FLAG_MAP = 8;

export interface SetOptions {
  readonly name: string;
  /** A number that is unique in the batch. */
  readonly id: number;
  readonly key: readonly DataType[];
  /** With it the set is a map. */
  readonly data?: readonly DataType[];
}

/** Makes a named set or map; one of the same shape is fine. @see nft(8) */
export function createSet(table: TableName, set: SetOptions): NetlinkMessage {
  const map =
    set.data === undefined
      ? []
      : [
          attribute(setAttribute.dataType, be32(concatenatedId(set.data))),
          attribute(setAttribute.dataBytes, be32(concatenatedBytes(set.data))),
        ];
  return nftMessage(
    `create ${set.data === undefined ? 'set' : 'map'} ${set.name} of table ${table.table}`,
    'newSet',
    messageFlags.acknowledge | messageFlags.create,
    table.family,
    attribute(setAttribute.table, cString(table.table)),
    attribute(setAttribute.name, cString(set.name)),
    attribute(setAttribute.flags, be32(set.data === undefined ? 0 : FLAG_MAP)),
    attribute(setAttribute.keyType, be32(concatenatedId(set.key))),
    attribute(setAttribute.keyBytes, be32(concatenatedBytes(set.key))),
    ...map,
    attribute(setAttribute.id, be32(set.id)),
  );
}

/** An element of a set; with `data`, of a map. */
export interface SetElement {
  readonly key: Uint8Array;
  readonly data?: Uint8Array;
}

/** Adds elements. One that is there already is fine; a key with other data is `EBUSY`. */
export function addElements(table: TableName, set: string, elements: readonly SetElement[]): NetlinkMessage {
  return elementMessage('newElement', messageFlags.acknowledge | messageFlags.create, table, set, elements);
}

/** Deletes elements by key; a missing one is `ENOENT`. */
export function deleteElements(table: TableName, set: string, elements: readonly SetElement[]): NetlinkMessage {
  const keys = elements.map(({ key }) => ({ key }));
  return elementMessage('deleteElement', messageFlags.acknowledge, table, set, keys);
}

/**
 * Deletes an element of a map only if it has this data; it may be missing. With other data the transaction fails with
 * `EBUSY`, since the kernel itself deletes by key alone.
 */
export function deleteElementWithData(table: TableName, map: string, element: Required<SetElement>): NetlinkMessage[] {
  return [addElements(table, map, [element]), deleteElements(table, map, [element])];
}

/** Asks for every element; a missing set or table is `ENOENT`. */
export function dumpElements(table: TableName, set: string): NetlinkMessage {
  return nftMessage(
    `list map ${set} of table ${table.table}`,
    'getElement',
    messageFlags.dump,
    table.family,
    ...setName(table, set),
  );
}

/** Reads the elements out of an answer to {@link dumpElements}. */
export function parseElements(answer: readonly ReceivedMessage[]): SetElement[] {
  return attributesOf('newElement', answer).flatMap((bytes) => {
    const list = parseAttributes(bytes).get(elementListAttribute.elements);
    return list === undefined ? [] : parseAttributeList(list).map(({ value }) => parseElement(value));
  });
}

function parseElement(bytes: Uint8Array): SetElement {
  const attributes = parseAttributes(bytes);
  const key = dataValue(requireAttribute(attributes, elementAttribute.key, 4));
  const data = attributes.get(elementAttribute.data);
  return data === undefined ? { key } : { key, data: dataValue(data) };
}

function dataValue(bytes: Uint8Array): Uint8Array {
  return requireAttribute(parseAttributes(bytes), DATA_VALUE, 1);
}

function elementMessage(
  message: 'newElement' | 'deleteElement',
  flags: number,
  table: TableName,
  set: string,
  elements: readonly SetElement[],
): NetlinkMessage {
  const list = elements.map(({ key, data }) =>
    nested(
      LIST_ELEMENT,
      nested(elementAttribute.key, attribute(DATA_VALUE, key)),
      ...(data === undefined ? [] : [nested(elementAttribute.data, attribute(DATA_VALUE, data))]),
    ),
  );
  const verb = message === 'newElement' ? 'add to' : 'delete from';
  return nftMessage(
    `${verb} map ${set} of table ${table.table}`,
    message,
    flags,
    table.family,
    ...setName(table, set),
    nested(elementListAttribute.elements, ...list),
  );
}

function setName({ table }: TableName, set: string): Uint8Array[] {
  return [attribute(elementListAttribute.table, cString(table)), attribute(elementListAttribute.set, cString(set))];
}

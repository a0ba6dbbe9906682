import { attribute, nested } from '../attribute.js';
import { be32, cString } from '../bytes.js';
import { messageFlags, type NetlinkMessage } from '../message.js';
import type { Expression } from './expression.js';
import { nftMessage, type TableName } from './nft-message.js';

const acknowledgedCreate = messageFlags.acknowledge | messageFlags.create;
const LIST_ELEMENT = 1;

const tableAttribute = { name: 1 } as const;
const chainAttribute = { table: 1, name: 3, hook: 4, policy: 5, type: 7 } as const;
const hookAttribute = { number: 1, priority: 2 } as const;
const ruleAttribute = { table: 1, chain: 2, expressions: 4 } as const;

const hooks = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;
const policies = { drop: 0, accept: 1 } as const;

/** Makes a table; one that exists is fine. @see nft(8) */
export function createTable({ family, table }: TableName): NetlinkMessage {
  return nftMessage(
    `create table ${table}`,
    'newTable',
    acknowledgedCreate,
    family,
    attribute(tableAttribute.name, cString(table)),
  );
}

/** Deletes a table with everything in it; a missing one is `ENOENT`. */
export function deleteTable({ family, table }: TableName): NetlinkMessage {
  return nftMessage(
    `delete table ${table}`,
    'deleteTable',
    messageFlags.acknowledge,
    family,
    attribute(tableAttribute.name, cString(table)),
  );
}

/** Asks for a table; a missing one is `ENOENT`. */
export function getTable({ family, table }: TableName): NetlinkMessage {
  return nftMessage(
    `find table ${table}`,
    'getTable',
    messageFlags.acknowledge,
    family,
    attribute(tableAttribute.name, cString(table)),
  );
}

export interface ChainOptions {
  readonly name: string;
  readonly type: 'filter' | 'nat';
  readonly hook: keyof typeof hooks;
  /** Lower runs first. Customary: raw -300, destination NAT -100, filter 0, source NAT 100. */
  readonly priority: number;
  readonly policy: keyof typeof policies;
}

/** Makes a chain that is attached to a hook of the kernel. */
export function createChain(table: TableName, chain: ChainOptions): NetlinkMessage {
  return nftMessage(
    `create chain ${chain.name} of table ${table.table}`,
    'newChain',
    acknowledgedCreate,
    table.family,
    attribute(chainAttribute.table, cString(table.table)),
    attribute(chainAttribute.name, cString(chain.name)),
    nested(
      chainAttribute.hook,
      attribute(hookAttribute.number, be32(hooks[chain.hook])),
      attribute(hookAttribute.priority, be32(chain.priority)),
    ),
    attribute(chainAttribute.policy, be32(policies[chain.policy])),
    attribute(chainAttribute.type, cString(chain.type)),
  );
}

/** Appends a rule to a chain. */
export function appendRule(table: TableName, chain: string, expressions: readonly Expression[]): NetlinkMessage {
  return nftMessage(
    `add a rule to chain ${chain} of table ${table.table}`,
    'newRule',
    acknowledgedCreate | messageFlags.append,
    table.family,
    attribute(ruleAttribute.table, cString(table.table)),
    attribute(ruleAttribute.chain, cString(chain)),
    nested(ruleAttribute.expressions, ...expressions.map((each) => nested(LIST_ELEMENT, each))),
  );
}

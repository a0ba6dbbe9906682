import assert from 'node:assert/strict';
import { nativeOperations } from './native-operations.js';

export type DecodedValue = number | bigint | string | Buffer | readonly string[];

export interface DecodedOperation {
  readonly name: string;
  readonly values: readonly DecodedValue[];
}

export interface DecodedPlan {
  readonly version: number;
  readonly sharesMemory: boolean;
  readonly namespaces: number;
  readonly stages: readonly (readonly DecodedOperation[])[];
}

/**
 * Reads an encoded plan by the rules of native/src/plan.h and the signatures of native/src/operations.c: written for
 * tests without a look at the encoder, and as strict as the shim.
 */
export function decodePlan(bytes: Buffer): DecodedPlan {
  let at = 0;
  const take = (size: number): Buffer => {
    assert.ok(at + size <= bytes.length, `cut off at ${at}`);
    at += size;
    return bytes.subarray(at - size, at);
  };
  const u16 = (): number => take(2).readUInt16LE();
  const u32 = (): number => take(4).readUInt32LE();
  const text = (): string => {
    const value = take(u32());
    assert.ok(!value.includes(0), 'a NUL inside a string');
    assert.equal(take(1)[0], 0, 'a string without its NUL');
    return value.toString('utf8');
  };
  const readers: Readonly<Record<string, () => DecodedValue>> = {
    u: u32,
    q: () => take(8).readBigUInt64LE(),
    b: () => Buffer.from(take(u32())),
    s: text,
    l: () => Array.from({ length: u32() }, text),
  };
  const table = nativeOperations();
  const operation = (): DecodedOperation => {
    const row = table.get(u16());
    assert.ok(row, `operation of unknown code before ${at}`);
    assert.equal(u16(), 0);
    const end = u32() + at;
    const values = [...row.signature].map((kind) => readers[kind]?.() ?? assert.fail(`signature ${kind}`));
    assert.equal(at, end, `payload of ${row.name}`);
    return { name: row.name, values };
  };

  assert.equal(take(4).toString('latin1'), 'TSCP');
  const version = u16();
  const flags = u16();
  assert.ok(flags <= 1, `flags ${flags}`);
  assert.equal(u32(), bytes.length);
  const namespaces = u32();
  const stages = [0, 1, 2, 3].map(() => Array.from({ length: u32() }, operation));
  assert.equal(at, bytes.length);
  return { version, sharesMemory: flags === 1, namespaces, stages };
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '#lib/core/limits.js';
import { PLAN_VERSION } from '#lib/runtime/encode-plan.js';
import { CONTAINER_NETNS_FD } from '#lib/runtime/launch-plan.js';
import { namespaceFlags, operationTable } from '#lib/runtime/operation-table.js';
import { nativeConstant, nativeOperations } from '../../helpers/native-operations.js';

test('the library and the shim have the same operations, codes and signatures', () => {
  const ours = Object.entries(operationTable).map(([name, { code, signature }]) => ({ code, name, signature }));
  const theirs = [...nativeOperations().values()].map(({ code, name, signature }) => ({ code, name, signature }));
  assert.ok(theirs.length >= 39, `${theirs.length} rows were found`);
  const byCode = (a: { code: number }, b: { code: number }): number => a.code - b.code;
  assert.deepEqual(ours.sort(byCode), theirs.sort(byCode));
});

test('no code is used twice', () => {
  const codes = Object.values(operationTable).map(({ code }) => code);
  assert.equal(new Set(codes).size, codes.length);
});

test('the library and the shim agree on version, size and the number of the network descriptor', () => {
  assert.equal(nativeConstant('plan.h', 'TSC_PLAN_VERSION'), String(PLAN_VERSION));
  assert.equal(nativeConstant('plan.h', 'TSC_PLAN_MAX'), '(4u * 1024 * 1024)');
  assert.equal(limits.planBytes, 4 * 1024 * 1024);
  assert.equal(nativeConstant('launch.h', 'TSC_NETNS_FD'), String(CONTAINER_NETNS_FD));
});

test('namespace flags are those of clone(2), as an unsigned number', () => {
  assert.equal(namespaceFlags([]), 0);
  assert.equal(namespaceFlags(['mount', 'pid']), 0x2002_0000);
  assert.equal(namespaceFlags(['net']), 0x4000_0000);
  const all = namespaceFlags(['mount', 'pid', 'ipc', 'uts', 'net', 'cgroup', 'user', 'time']);
  assert.equal(all, 0x7e02_0080);
  assert.ok(namespaceFlags(['net', 'net']) > 0);
});

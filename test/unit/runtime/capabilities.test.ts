import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import {
  allCapabilities,
  capabilitiesOfMask,
  capabilityMask,
  defaultCapabilities,
  resolveCapabilities,
} from '#lib/runtime/capabilities.js';

test('the default set has the mask that containers of Docker show', () => {
  assert.equal(capabilityMask(resolveCapabilities()), 0xa80425fbn);
  assert.equal(defaultCapabilities.length, 14);
});

test('bits and names belong together', () => {
  assert.equal(allCapabilities.length, 41);
  assert.equal(capabilityMask(['CHOWN']), 1n);
  assert.equal(capabilityMask(['SYS_ADMIN']), 1n << 21n);
  assert.equal(capabilityMask(['SYSLOG']), 1n << 34n);
  assert.equal(capabilityMask(['CHECKPOINT_RESTORE']), 1n << 40n);
  assert.equal(capabilityMask(allCapabilities), 0x1ff_ffff_ffffn);
  assert.deepEqual(
    capabilitiesOfMask(0xa80425fbn),
    new Set(allCapabilities.filter((each) => defaultCapabilities.includes(each))),
  );
  assert.equal(capabilitiesOfMask(1n << 50n).size, 0);
});

test('adding and dropping follow the rules of Docker', () => {
  const resolve = (capAdd: string[], capDrop: string[]) => [...resolveCapabilities({ capAdd, capDrop })].sort();
  assert.ok(resolve(['net_admin'], []).includes('NET_ADMIN'));
  assert.ok(!resolve([], ['CAP_NET_RAW']).includes('NET_RAW'));
  assert.deepEqual(resolve(['CAP_CHOWN'], ['ALL']), ['CHOWN']);
  assert.deepEqual(resolve([], ['all']), []);
  assert.equal(resolve(['ALL'], []).length, 41);
  assert.equal(resolve(['ALL'], ['SYS_ADMIN']).length, 40);
  assert.deepEqual(resolve(['ALL'], ['ALL']), []);
  assert.ok(!resolve(['NET_ADMIN'], ['NET_ADMIN']).includes('NET_ADMIN'));
});

test('ALL stops at what the caller can hand out', () => {
  const available = new Set(['CHOWN', 'KILL'] as const);
  assert.deepEqual(resolveCapabilities({ capAdd: ['ALL'], available }), available);
});

test('an unknown capability names the option', () => {
  for (const name of ['', 'CAP_', 'SYS_ADMI', 'CAP_CAP_CHOWN', 'toString', ' CHOWN']) {
    assert.throws(
      () => resolveCapabilities({ capDrop: [name] }),
      (error) => EngineError.is(error, 'INVALID_OPTION') && error.data.option === 'capDrop',
      name,
    );
  }
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { type AddressPool, createAddressPool } from '#lib/network/address-pool.js';
import { parseSubnet } from '#lib/network/ipv4.js';

describe('an address pool', () => {
  let directory: string;
  const open = (subnet: string): AddressPool => {
    const pool = createAddressPool(directory, parseSubnet(subnet), 'test');
    pool.open();
    return pool;
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tscontainer-pool-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test('gives out every address but network, gateway and broadcast, once', () => {
    const pool = open('10.0.0.0/29');
    assert.equal(pool.gateway, '10.0.0.1');
    const leased = ['a', 'b', 'c', 'd', 'e'].map((owner) => pool.lease(owner));
    assert.deepEqual(leased, ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']);
    assert.throws(
      () => pool.lease('f'),
      (error) => EngineError.is(error, 'ADDRESS_POOL_EXHAUSTED') && error.data.subnet === '10.0.0.0/29',
    );
  });

  test('uses a released address again as late as possible, also after a restart', () => {
    const pool = open('10.0.0.0/29');
    pool.lease('a');
    pool.lease('b');
    pool.release({ address: '10.0.0.3', owner: 'b' });
    assert.equal(pool.lease('c'), '10.0.0.4');
    assert.deepEqual(
      ['d', 'e', 'f'].map((owner) => open('10.0.0.0/29').lease(owner)),
      ['10.0.0.5', '10.0.0.6', '10.0.0.3'],
    );
  });

  test('shares its leases with every other pool on the same directory', () => {
    const [one, two] = [open('10.0.0.0/24'), open('10.0.0.0/24')];
    const leased = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? one : two).lease(`c${index}`));
    assert.equal(new Set(leased).size, 100);
    assert.equal(two.leases().length, 100);
    assert.deepEqual(
      one.leases().find(({ address }) => address === '10.0.0.2'),
      { address: '10.0.0.2', owner: 'c0' },
    );
  });

  test('keeps the lease of another owner', () => {
    const pool = open('10.0.0.0/29');
    pool.lease('a');
    pool.release({ address: '10.0.0.2', owner: 'b' });
    pool.release({ address: '10.0.0.3', owner: 'b' });
    assert.deepEqual(pool.leases(), [{ address: '10.0.0.2', owner: 'a' }]);
  });

  test('closes only while it is empty, and leases nothing while it is closed', () => {
    const pool = open('10.0.0.0/29');
    pool.lease('a');
    assert.equal(pool.close(), false);
    pool.release({ address: '10.0.0.2', owner: 'a' });
    assert.equal(pool.close(), true);
    assert.equal(pool.close(), true);
    assert.equal(pool.lease('b'), undefined);
    assert.deepEqual(pool.leases(), []);
    pool.open();
    assert.equal(pool.lease('b'), '10.0.0.3');
  });

  test('starts at the first address when what it remembers is of no use', () => {
    for (const useless of ['', 'x', '10.9.9.9', '10.0.0.6']) {
      const pool = open('10.0.0.0/29');
      writeFileSync(join(directory, 'last-lease'), useless);
      assert.equal(pool.lease('a'), '10.0.0.2', JSON.stringify(useless));
      pool.release({ address: '10.0.0.2', owner: 'a' });
    }
  });
});

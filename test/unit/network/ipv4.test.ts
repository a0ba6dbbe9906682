import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { broadcastOf, formatIpv4, formatSubnet, overlaps, parseIpv4, parseSubnet } from '#lib/network/ipv4.js';

test('addresses and subnets are read and written', () => {
  assert.equal(parseIpv4('255.0.0.1'), 0xff000001);
  assert.equal(formatIpv4(0xac1e0001), '172.30.0.1');
  assert.equal(formatSubnet(parseSubnet('192.168.224.0/20')), '192.168.224.0/20');
  assert.equal(formatIpv4(broadcastOf(parseSubnet('192.168.224.0/20'))), '192.168.239.255');
  assert.equal(formatIpv4(broadcastOf(parseSubnet('0.0.0.0/0'))), '255.255.255.255');
});

test('a subnet with host bits, or none at all, is refused with the text', () => {
  for (const bad of ['10.0.0.1/24', '10.0.0.0', '10.0.0.0/33', '10.0.0/8', '10.0.0.0/', '::/8', '256.0.0.0/8']) {
    assert.throws(
      () => parseSubnet(bad, 'subnet'),
      (error) => EngineError.is(error, 'INVALID_OPTION') && error.data.got === bad,
      bad,
    );
  }
});

test('subnets overlap when one holds the other', () => {
  const [wide, inside, beside] = ['172.16.0.0/12', '172.30.0.0/16', '172.32.0.0/16'].map((text) => parseSubnet(text));
  assert.ok(wide !== undefined && inside !== undefined && beside !== undefined);
  assert.equal(overlaps(wide, inside), true);
  assert.equal(overlaps(inside, wide), true);
  assert.equal(overlaps(wide, beside), false);
});

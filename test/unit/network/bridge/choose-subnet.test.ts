import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseSubnet, defaultSubnets } from '#lib/network/bridge/choose-subnet.js';
import { formatSubnet, parseSubnet } from '#lib/network/ipv4.js';

const choose = (...used: string[]) => {
  const chosen = chooseSubnet(
    defaultSubnets,
    used.map((text) => parseSubnet(text)),
  );
  return chosen === undefined ? undefined : formatSubnet(chosen);
};

test('the first private subnet that the host does not use is chosen', () => {
  assert.equal(choose(), '172.30.0.0/16');
  assert.equal(choose('172.30.4.0/24'), '172.31.0.0/16');
  assert.equal(choose('172.16.0.0/12'), '10.200.0.0/16');
  assert.equal(choose('172.16.0.0/12', '10.0.0.0/8'), '192.168.192.0/20');
  assert.equal(choose('172.16.0.0/12', '10.0.0.0/8', '192.168.0.0/16'), undefined);
});

test('a default route, also one that is split in two, uses no subnet', () => {
  assert.equal(choose('0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/1'), '172.30.0.0/16');
});

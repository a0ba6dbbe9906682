import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointPlan } from '#lib/network/bridge/endpoint-plan.js';
import type { PlanOperation } from '#lib/runtime/launch-plan.js';

const input = {
  table: { family: 'ipv4', table: 't' },
  bridgeIndex: 7,
  mtu: 1500,
  vethName: 'tsv0',
  address: { address: '172.30.0.2', prefixLength: 16, gateway: '172.30.0.1', macAddress: '02:54:ac:1e:00:02' },
  ports: [{ hostAddress: '0.0.0.0', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
  ipv6: true,
} as const;

const labels = (operations: readonly PlanOperation[]) =>
  operations.map((each) => (each.op === 'netlink' ? each.labels : `${each.op} ${'path' in each ? each.path : ''}`));
// Little-endian, as all machines that the package is tested on.
const hex = (operation: PlanOperation | undefined): string =>
  operation?.op === 'netlink' ? Buffer.from(operation.messages).toString('hex') : '';
const joined = (text: string): string => text.replaceAll(/#.*$|\s/gm, '');

test('a container without ports costs two datagrams on the host and one inside', () => {
  const plan = endpointPlan({ ...input, ports: [], ipv6: false });
  assert.deepEqual(labels(plan.prepare), []);
  assert.deepEqual(labels(plan.parent), [
    ['delete interface tsv0'], // of an earlier run
    ['create interface pair tsv0 and eth0', 'add interface tsv0 to its bridge'],
  ]);
  assert.deepEqual(labels(plan.child), [
    'write-file /proc/sys/net/ipv4/ip_unprivileged_port_start',
    ['set interface 1 up', 'add address 172.30.0.2/16', 'set interface 1000000 up', 'add default route by 172.30.0.1'],
  ]);
  assert.deepEqual(labels(plan.cleanup), []);
});

test('a published port is reserved, forwarded, and withdrawn', () => {
  const plan = endpointPlan(input);
  assert.deepEqual(plan.prepare, [{ op: 'reserve-port', protocol: 'tcp', address: '0.0.0.0', port: 8080 }]);
  assert.deepEqual(labels(plan.parent).at(-1), ['add to map published-any of table t']);
  assert.equal(plan.cleanup.length, 1);
  assert.equal(labels(plan.child)[0], 'write-file /proc/sys/net/ipv6/conf/eth0/disable_ipv6');
});

test('the pair is made by these bytes', () => {
  const plan = endpointPlan({ ...input, ports: [] });
  assert.equal(
    hex(plan.parent[1]),
    joined(`
      84000000 1000 0506 01000000 00000000    # RTM_NEWLINK, request | ack | create | exclusive
      00000000 40420f00 00000000 00000000     # index 1000000
      0900 0300 65746830 00000000             # IFLA_IFNAME eth0
      0a00 0100 0254ac1e0002 0000             # IFLA_ADDRESS
      0800 0400 dc050000                      # IFLA_MTU 1500
      0800 1c00 64000000                      # IFLA_NET_NS_FD 100
      3c00 1280                               # IFLA_LINKINFO
        0900 0100 76657468 00000000           #   kind veth
        2c00 0280 2800 0180                   #   data, peer
          00000000 00000000 00000000 00000000
          0900 0300 74737630 00000000         #     IFLA_IFNAME tsv0
          0800 0400 dc050000                  #     IFLA_MTU 1500
      34000000 1000 0500 02000000 00000000    # RTM_NEWLINK, request | ack
      00000000 00000000 01000000 01000000     # up
      0900 0300 74737630 00000000             # IFLA_IFNAME tsv0
      0800 0a00 07000000                      # IFLA_MASTER 7`),
  );
});

test('a port is published by these bytes', () => {
  assert.equal(
    hex(endpointPlan(input).parent[2]),
    joined(`
      14000000 1000 0100 01000000 00000000 0000 000a   # NFNL_MSG_BATCH_BEGIN
      58000000 0c0a 0504 02000000 00000000 0200 0000   # NFT_MSG_NEWSETELEM, request | ack | create
      0600 0100 7400 0000                              # table
      1200 0200 7075626c69736865642d616e7900 0000      # set
      2800 0380 2400 0180                              # elements, element
        1000 0180 0c00 0100 06000000 1f900000          # key: tcp . 8080
        1000 0280 0c00 0100 ac1e0002 00500000          # data: 172.30.0.2 . 80
      14000000 1100 0100 03000000 00000000 0000 000a   # NFNL_MSG_BATCH_END`),
  );
});

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { bridgeNames } from '#lib/network/bridge/bridge-names.js';
import { type BridgeLab, createBridgeLab } from '../../helpers/bridge-lab.js';
import { askEcho, startEcho } from '../../helpers/echo.js';

describe('a bridge network on its host', () => {
  let lab: BridgeLab;
  let untouched: string;

  /** Interfaces, addresses, routes and firewall of the host, without what changes by itself. */
  const machine = (): string => lab.host$('ip -brief address; ip route; nft list ruleset');
  const attach = (containerId: string, driver = lab.driver) =>
    driver.attach({ containerId, hostname: containerId, ports: [], runDirectory: lab.root });

  beforeEach(() => {
    lab = createBridgeLab();
    untouched = machine();
  });
  afterEach(() => lab[Symbol.asyncDispose]());

  test('is made by the first attach and removed when nobody uses it', async () => {
    const endpoint = await attach('one');
    const { bridge, table } = bridgeNames(lab.root);
    assert.match(machine(), new RegExp(`^${bridge} +(UP|DOWN|UNKNOWN) +172\\.30\\.0\\.1/16 *$`, 'm'));
    assert.match(machine(), new RegExp(`^table ip ${table}`, 'm'));
    assert.equal(endpoint.addresses[0]?.gateway, '172.30.0.1');
    assert.equal(await lab.driver.teardownIfUnused(), false);
    await lab.driver.detach('one');
    assert.equal(await lab.driver.teardownIfUnused(), true);
    assert.equal(machine(), untouched);
  });

  test('keeps its subnet over a removal', async () => {
    lab.host$('ip address add 172.30.5.5/24 dev uplink');
    const before = await attach('one');
    assert.equal(before.addresses[0]?.gateway, '172.31.0.1');
    await lab.driver.detach('one');
    await lab.driver.teardownIfUnused();
    lab.host$('ip address del 172.30.5.5/24 dev uplink');
    const again = await attach('two', lab.otherDriver());
    assert.equal(again.addresses[0]?.gateway, '172.31.0.1');
    assert.notEqual(again.addresses[0]?.address, before.addresses[0]?.address);
  });

  test('moves to another subnet when the host has come to use its own meanwhile', async () => {
    await attach('one');
    await lab.driver.detach('one');
    await lab.driver.teardownIfUnused();
    lab.host$('ip route add 172.30.7.0/24 via 192.0.2.2');
    assert.equal((await attach('two')).addresses[0]?.gateway, '172.31.0.1');
  });

  test('uses another subnet than the network of another root that is made at the same time', async () => {
    const root = mkdtempSync(join(tmpdir(), 'tscontainer-network-'));
    try {
      const endpoints = await Promise.all([attach('one'), attach('two', lab.otherDriver({ root }))]);
      assert.equal(new Set(endpoints.map(({ addresses }) => addresses[0]?.gateway)).size, 2);
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  test('says so when no subnet is left', async () => {
    const driver = lab.otherDriver({ subnets: ['192.0.2.0/25'] });
    await assert.rejects(attach('one', driver), (error) => EngineError.is(error, 'SUBNET_CONFLICT'));
    assert.equal(machine(), untouched);
  });

  test('gives different addresses to containers that are attached at once by several drivers', async () => {
    const drivers = [lab.driver, lab.otherDriver(), lab.otherDriver()];
    const all = await Promise.all(
      Array.from({ length: 30 }, (_, index) => attach(`c${index}`, drivers[index % 3] ?? lab.driver)),
    );
    assert.equal(new Set(all.map(({ addresses }) => addresses[0]?.address)).size, 30);
  });

  test('survives being removed by one driver while others attach and detach', async () => {
    const other = lab.otherDriver();
    for (let round = 0; round < 5; round += 1) {
      await Promise.all([attach('a'), attach('b', other), lab.driver.teardownIfUnused()]);
      const { bridge } = bridgeNames(lab.root);
      assert.match(lab.host$(`ip link show ${bridge}`), /UP/);
      await Promise.all([lab.driver.detach('a'), other.detach('b'), other.teardownIfUnused()]);
      await other.teardownIfUnused();
      assert.equal(machine(), untouched);
    }
  });

  test('a sweep removes everything of containers that are dead, and keeps what the others have', async () => {
    const dead = await lab.start('dead', '8080:80', '127.0.0.1:8081:80/udp');
    const alive = await lab.start('alive', '8082:80');
    await using _server = await startEcho(alive.namespace, { protocol: 'tcp', address: '0.0.0.0', port: 80 });
    const { bridge, table } = bridgeNames(lab.root);
    await lab.otherDriver().sweep((id) => id === 'alive');

    const rules = lab.host$(`nft list table ip ${table}`);
    assert.doesNotMatch(rules, new RegExp(`${dead.address}\\b`));
    assert.match(rules, new RegExp(`tcp \\. 8082 : ${alive.address} \\. 80`));
    const members = lab.host$(`ip -oneline link show master ${bridge}`).trim().split('\n');
    assert.equal(members.length, 1);
    assert.deepEqual(readdirSync(join(lab.root, 'networks/bridge/leases')), [alive.address]);
    assert.equal(await askEcho(lab.outside, { protocol: 'tcp', address: '192.0.2.1', port: 8082 }), '192.0.2.2');
  });

  test('a sweep without any container alive leaves the host as it was', async () => {
    await lab.start('one', '8080:80');
    await lab.otherDriver().sweep(() => false);
    assert.equal(machine(), untouched);
    assert.equal(existsSync(join(lab.root, 'networks/bridge/endpoints')), false);
  });

  test('a sweep of a root that never had a network does nothing', async () => {
    await lab.driver.sweep(() => false);
    assert.equal(machine(), untouched);
  });

  test('the links of a container go with its namespace', async () => {
    const one = await lab.start('one');
    const { bridge } = bridgeNames(lab.root);
    one.namespace[Symbol.dispose]();
    const deadline = Date.now() + 10_000;
    while (lab.host$(`ip -oneline link show master ${bridge}`) !== '') assert.ok(Date.now() < deadline);
  });

  test('a host port that somebody listens on is taken', async () => {
    await using _server = await startEcho(lab.host, { protocol: 'tcp', address: '127.0.0.1', port: 8080 });
    await assert.rejects(
      lab.start('one', '8080:80'),
      (error) => EngineError.is(error, 'PORT_TAKEN') && error.data.port === 8080,
    );
    assert.equal(machine(), untouched);
  });

  test('a port mapping without a host port gets a free one, different for each container', async () => {
    const endpoints = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        lab.driver.attach({
          containerId: `c${index}`,
          hostname: 'c',
          ports: [{ hostAddress: '127.0.0.1', hostPort: 0, containerPort: 80, protocol: 'tcp' }],
          runDirectory: lab.root,
        }),
      ),
    );
    const ports = endpoints.map((endpoint) => endpoint.ports[0]?.hostPort ?? 0);
    assert.equal(new Set(ports).size, 20);
    assert.ok(ports.every((port) => port > 0));
  });

  test('attaching without CAP_NET_ADMIN on a kernel that refuses names the request', async () => {
    const driver = lab.otherDriver({
      kernel: {
        netlink: (_protocol, request) => [refusal(request, 1)],
        probePort: () => 1,
      },
    });
    await assert.rejects(
      attach('one', driver),
      (error) => EngineError.is(error, 'NETLINK_FAILED') && error.data.errno === 'EPERM',
    );
  });
});

/** NLMSG_ERROR for the first message of a request. */
function refusal(request: Uint8Array, errno: number): Uint8Array {
  const message = Buffer.alloc(36);
  message.writeUInt32LE(36, 0);
  message.writeUInt16LE(2, 4);
  message.writeUInt16LE(0x100, 6);
  message.writeUInt32LE(1, 8);
  message.writeInt32LE(-errno, 16);
  message.set(request.subarray(0, 16), 20);
  return message;
}

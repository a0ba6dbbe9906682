import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type BridgeLab, createBridgeLab, type LabContainer } from '../../helpers/bridge-lab.js';
import { askEcho, startEcho } from '../../helpers/echo.js';
import { cleanUpByPlan } from '../../helpers/plan-interpreter.js';

const GATEWAY = '172.30.0.1';
const HOST = '192.0.2.1';
const OUTSIDE = '192.0.2.2';
const any = '0.0.0.0';

describe('a bridge network', () => {
  let lab: BridgeLab;
  let web: LabContainer;
  let other: LabContainer;
  const servers: AsyncDisposable[] = [];

  before(async () => {
    lab = createBridgeLab();
    web = await lab.start('web', '8080:80', '8053:53/udp', `${HOST}:8081:80`, '127.0.0.1:8082:80');
    other = await lab.start('other');
    servers.push(
      await startEcho(web.namespace, { protocol: 'tcp', address: any, port: 80 }),
      await startEcho(web.namespace, { protocol: 'udp', address: any, port: 53 }),
      await startEcho(lab.outside, { protocol: 'tcp', address: any, port: 7 }),
      await startEcho(lab.outside, { protocol: 'udp', address: any, port: 7 }),
    );
  });
  after(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  for (const protocol of ['tcp', 'udp'] as const) {
    const [hostPort, port] = protocol === 'tcp' ? [8080, 80] : [8053, 53];

    test(`a container reaches the outside as the host (${protocol})`, async () => {
      assert.equal(await askEcho(other.namespace, { protocol, address: OUTSIDE, port: 7 }), HOST);
    });

    test(`the outside reaches a published port and is seen as itself (${protocol})`, async () => {
      assert.equal(await askEcho(lab.outside, { protocol, address: HOST, port: hostPort }), OUTSIDE);
    });

    test(`the host reaches a published port through 127.0.0.1 (${protocol})`, async () => {
      assert.equal(await askEcho(lab.host, { protocol, address: '127.0.0.1', port: hostPort }), GATEWAY);
    });

    test(`the host reaches a published port through its own address (${protocol})`, async () => {
      assert.equal(await askEcho(lab.host, { protocol, address: HOST, port: hostPort }), HOST);
    });

    test(`a container reaches another by its address and is seen as itself (${protocol})`, async () => {
      assert.equal(await askEcho(other.namespace, { protocol, address: web.address, port }), other.address);
    });

    test(`a container reaches a published port through the gateway and the host's address (${protocol})`, async () => {
      assert.equal(await askEcho(other.namespace, { protocol, address: GATEWAY, port: hostPort }), GATEWAY);
      assert.equal(await askEcho(other.namespace, { protocol, address: HOST, port: hostPort }), GATEWAY);
    });

    test(`a container reaches its own published port (${protocol})`, async () => {
      assert.equal(await askEcho(web.namespace, { protocol, address: HOST, port: hostPort }), GATEWAY);
    });
  }

  test('a container reaches its own published port whether or not bridged packets pass the firewall', async () => {
    const at = { protocol: 'tcp', address: HOST, port: 8080 } as const;
    for (const filtered of ['0', '1']) {
      lab.host$(`echo ${filtered} > /proc/sys/net/bridge/bridge-nf-call-iptables`);
      assert.equal(await askEcho(web.namespace, at), GATEWAY, `bridge-nf-call-iptables ${filtered}`);
      assert.equal(await askEcho(other.namespace, at), GATEWAY, `bridge-nf-call-iptables ${filtered}`);
    }
  });

  test('the host reaches a container by its address', async () => {
    assert.equal(await askEcho(lab.host, { protocol: 'tcp', address: web.address, port: 80 }), GATEWAY);
  });

  test('a port that is published on one address is not reachable through another', async () => {
    const at = (address: string, port: number) => ({ protocol: 'tcp', address, port }) as const;
    assert.equal(await askEcho(lab.outside, at(HOST, 8081)), OUTSIDE);
    assert.equal(await askEcho(lab.outside, at('198.51.100.1', 8081)), 'ECONNREFUSED');
    assert.equal(await askEcho(lab.host, at('127.0.0.1', 8081)), 'ECONNREFUSED');
    assert.equal(await askEcho(lab.host, at('127.0.0.1', 8082)), GATEWAY);
    assert.equal(await askEcho(lab.host, at(HOST, 8082)), 'ECONNREFUSED');
    assert.equal(await askEcho(lab.outside, at(HOST, 8082)), 'ECONNREFUSED');
  });

  test('the interface of a container has no IPv6 and its routes are those of its network', () => {
    const shown = web.namespace.run(() => lab.host$('ip -o address show dev eth0; ip route'));
    assert.match(shown, /inet 172\.30\.0\.2\/16 brd 172\.30\.255\.255/);
    assert.doesNotMatch(shown, /inet6/);
    assert.match(shown, /^default via 172\.30\.0\.1 dev eth0 *$/m);
  });

  test('a port is closed after the clean-up stage, which may run twice', async () => {
    const at = { protocol: 'tcp', address: HOST, port: 8090 } as const;
    const short = await lab.start('short', '8090:80');
    await using _server = await startEcho(short.namespace, { protocol: 'tcp', address: any, port: 80 });
    assert.equal(await askEcho(lab.outside, at), OUTSIDE);
    cleanUpByPlan(short.endpoint.plan, lab.host);
    cleanUpByPlan(short.endpoint.plan, lab.host);
    assert.equal(await askEcho(lab.outside, at), 'ECONNREFUSED');
  });

  test('the clean-up of a container whose port was taken leaves the port of its holder alone', async () => {
    const loser = await lab.otherDriver().attach({
      containerId: 'loser',
      hostname: 'loser',
      ports: [{ hostAddress: any, hostPort: 8080, containerPort: 9, protocol: 'tcp' }],
      runDirectory: lab.root,
    });
    cleanUpByPlan(loser.plan, lab.host);
    await lab.driver.detach('loser');
    assert.equal(await askEcho(lab.outside, { protocol: 'tcp', address: HOST, port: 8080 }), OUTSIDE);
  });
});

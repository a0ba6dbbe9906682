import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { bridgeNames } from '#lib/network/bridge/bridge-names.js';
import { type BridgeLab, createBridgeLab } from '../helpers/bridge-lab.js';
import { askEcho, startEcho } from '../helpers/echo.js';

// CVE-2020-8558: packets from a neighbour with a loopback destination reach what is published for the host alone.
describe('a port that is published on 127.0.0.1', () => {
  const at = { protocol: 'tcp', address: '127.0.0.1', port: 8080 } as const;
  let lab: BridgeLab;
  let server: AsyncDisposable;

  before(async () => {
    lab = createBridgeLab();
    const web = await lab.start('web', '127.0.0.1:8080:80');
    server = await startEcho(web.namespace, { protocol: 'tcp', address: '0.0.0.0', port: 80 });
    lab.outside$(`echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet
      ip address flush dev lo
      ip route add 127.0.0.1 via 192.0.2.1`);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  test('is reached by the host', async () => {
    assert.equal(await askEcho(lab.host, at), '172.30.0.1');
  });

  test('is not reached by a neighbour that sends packets for 127.0.0.1', async () => {
    assert.equal(await askEcho(lab.outside, at, 500), 'silence');
  });

  test('would be reached by that neighbour without the guard chain', async () => {
    lab.host$(`nft flush chain ip ${bridgeNames(lab.root).table} guard`);
    assert.equal(await askEcho(lab.outside, at), '192.0.2.2');
  });
});

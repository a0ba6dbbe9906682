import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { bridgeNames } from '#lib/network/bridge/bridge-names.js';
import { type BridgeLab, createBridgeLab, type LabContainer } from '../helpers/bridge-lab.js';
import { askEcho, startEcho } from '../helpers/echo.js';

// CVE-2025-54388: a neighbour that routes the container's subnet to the host reaches ports that are not published for it.
describe('a container behind a host that forwards packets', () => {
  let lab: BridgeLab;
  let web: LabContainer;
  let server: AsyncDisposable;

  before(async () => {
    lab = createBridgeLab();
    web = await lab.start('web', '8080:80', '127.0.0.1:8081:80');
    server = await startEcho(web.namespace, { protocol: 'tcp', address: '0.0.0.0', port: 80 });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  const direct = () => ({ protocol: 'tcp', address: web.address, port: 80 }) as const;

  test('is reached by a neighbour through its published port', async () => {
    assert.equal(await askEcho(lab.outside, { protocol: 'tcp', address: '192.0.2.1', port: 8080 }), '192.0.2.2');
  });

  test('is not reached by a neighbour through its own address', async () => {
    assert.equal(await askEcho(lab.outside, direct(), 500), 'silence');
  });

  test('is protected again after the rule set was flushed, by the next attach', async () => {
    lab.host$('nft flush ruleset');
    assert.equal(await askEcho(lab.outside, direct()), '192.0.2.2', 'the attack works without the table');
    await lab.start('next');
    assert.equal(await askEcho(lab.outside, direct(), 500), 'silence');
    assert.equal(await askEcho(lab.outside, { protocol: 'tcp', address: '192.0.2.1', port: 8080 }), '192.0.2.2');
    assert.match(lab.host$('nft list tables'), new RegExp(`^table ip ${bridgeNames(lab.root).table}$`, 'm'));
  });
});

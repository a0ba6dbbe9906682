import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { listeningSockets, parseSocketTable } from '#lib/testing/readiness/listening-sockets.js';

const HEADER = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const line = (local: string, state: string): string =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000 100 0 0 10 0`;

test('only sockets that listen count, and those at loopback are told apart', () => {
  const addresses = {
    '00000000:1538': false,
    '0100007F:1538': true,
    '020011AC:1538': false,
    '00000000000000000000000000000000:1538': false,
    '00000000000000000000000001000000:1538': true,
    '0000000000000000FFFF00000100007F:1538': true,
  };
  for (const [local, isLoopback] of Object.entries(addresses)) {
    const table = [HEADER, line(local, '0A'), line(local, '01'), ''].join('\n');
    assert.deepEqual(parseSocketTable(table, 'tcp'), [{ port: 5432, isLoopback, inode: '4711' }], local);
  }
  assert.deepEqual(parseSocketTable('', 'tcp'), []);
});

test('the kernel lists what this process listens at', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  const socket = createSocket('udp4').bind(0, '0.0.0.0');
  await Promise.all([once(server, 'listening'), once(socket, 'listening')]);
  const tcp = (server.address() as AddressInfo).port;
  const udp = socket.address().port;
  const find = async (protocol: 'tcp' | 'udp', port: number) =>
    (await listeningSockets(process.pid, protocol)).find((each) => each.port === port)?.isLoopback;
  assert.equal(await find('tcp', tcp), true);
  assert.equal(await find('udp', udp), false);
  server.close();
  socket.close();
  await once(server, 'close');
  assert.equal(await find('tcp', tcp), undefined);
});

test('a process that is not there has no sockets', async () => {
  assert.deepEqual(await listeningSockets(2 ** 22 + 1, 'tcp'), []);
});

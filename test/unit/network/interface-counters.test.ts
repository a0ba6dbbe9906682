import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseInterfaceCounters } from '#lib/network/interface-counters.js';

const head = [
  'Inter-|   Receive                                                |  Transmit',
  ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
];

test('each interface but loopback is told with its counters', () => {
  const text = [
    ...head,
    '    lo:     500       5    0    0    0     0          0         0      500       5    0    0    0     0       0          0',
    '  eth0: 123456789012   20    1    2    0     0          0         0     3000      30    3    4    0     0       0          0',
    '',
  ].join('\n');
  assert.deepEqual(parseInterfaceCounters(text, 10), [
    {
      name: 'eth0',
      receivedBytes: 123456789012,
      receivedPackets: 20,
      receiveErrors: 1,
      receiveDropped: 2,
      sentBytes: 3000,
      sentPackets: 30,
      sendErrors: 3,
      sendDropped: 4,
    },
  ]);
});

test('any name that the kernel takes is a name, and nothing more', () => {
  const numbers = '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16';
  const names = ['__proto__', 'constructor', 'a|b', 'ë', '%s', '$(id)', '12345'];
  const text = [...head, ...names.map((name) => `${name}: ${numbers}`)].join('\n');
  const found = parseInterfaceCounters(text, 100);
  assert.deepEqual(
    found.map(({ name, sentBytes }) => [name, sentBytes]),
    names.map((name) => [name, 9]),
  );
});

test('more interfaces than the bound are left out, and nonsense is passed over', () => {
  const line = (index: number): string => `if${index}: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16`;
  const text = [...head, 'no colon 1 2 3', ': 1 2', 'half: 1 x', ...Array.from({ length: 50 }, (_, i) => line(i))];
  assert.equal(parseInterfaceCounters(text.join('\n'), 20).length, 20);
  assert.deepEqual(parseInterfaceCounters('', 20), []);
});

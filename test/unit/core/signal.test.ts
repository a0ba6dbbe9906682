import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { parseSignal, signalName } from '#lib/core/signal.js';

test('signals are known by name, with or without SIG, and by number', () => {
  for (const form of ['SIGTERM', 'TERM', 'term', 'sigterm', '15', 15]) assert.equal(parseSignal(form), 15);
  assert.equal(parseSignal('RTMIN'), 34);
  assert.equal(parseSignal('SIGRTMIN+3'), 37);
  assert.equal(parseSignal('rtmax-1'), 63);
  assert.equal(parseSignal('CLD'), parseSignal('CHLD'));
});

test('the table agrees with the system where the system has names', () => {
  if (process.platform !== 'linux') assert.fail('these are the numbers of Linux');
  for (const [name, number] of Object.entries(constants.signals)) assert.equal(parseSignal(name), number, name);
});

test('a number has one name, and the name gives the number', () => {
  assert.equal(signalName(9), 'SIGKILL');
  assert.equal(signalName(37), 'SIGRTMIN+3');
  for (const number of [...Array(31).keys()].map((index) => index + 1)) {
    assert.equal(parseSignal(signalName(number)), number);
  }
  for (let number = 34; number <= 64; number += 1) assert.equal(parseSignal(signalName(number)), number);
});

test('what is no signal is refused', () => {
  for (const wrong of [
    0,
    -1,
    65,
    1.5,
    Number.NaN,
    '0',
    '',
    'SIG',
    '09',
    '+9',
    ' 9',
    '0x9',
    '65',
    'RTMIN+31',
    'RTMAX-31',
    'RTMIN-1',
    'toString',
    'KILL ',
  ]) {
    assert.throws(
      () => parseSignal(wrong, 'stopSignal'),
      (error) => EngineError.is(error, 'INVALID_OPTION') && error.data.option === 'stopSignal',
      String(wrong),
    );
  }
});

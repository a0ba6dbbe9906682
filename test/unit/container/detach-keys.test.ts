import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DetachKeyFilter, parseDetachKeys } from '#lib/container/detach-keys.js';
import { EngineError } from '#lib/core/errors/engine-error.js';

const sequence = parseDetachKeys('ctrl-p,ctrl-q');

test('keys are written as for Docker', () => {
  const written: Readonly<Record<string, readonly number[]>> = {
    '': [],
    'ctrl-p,ctrl-q': [16, 17],
    'CTRL-A': [1],
    'ctrl-z,Z': [26, 90],
    'a,b,1,~': [97, 98, 49, 126],
    'ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_': [0, 27, 28, 29, 30, 31],
    DEL: [127],
  };
  for (const [keys, bytes] of Object.entries(written)) assert.deepEqual([...parseDetachKeys(keys)], bytes, keys);
});

test('what is no key is refused', () => {
  for (const keys of ['ctrl-', 'ctrl-1', 'ctrl-ab', 'ab', 'ctrl-p,', ',', 'é', '\x10', 'ctrl-p ctrl-q']) {
    assert.throws(
      () => parseDetachKeys(keys),
      (error) => EngineError.is(error, 'INVALID_OPTION') && error.data.option === 'detachKeys',
      keys,
    );
  }
});

/** What passes of pieces of typing, and whether they end it. */
function typed(keys: Buffer, ...pieces: readonly string[]): { pass: string; detached: boolean } {
  const filter = new DetachKeyFilter(keys);
  let pass = '';
  for (const piece of pieces) {
    const result = filter.push(Buffer.from(piece));
    pass += result.pass.toString();
    if (result.detached) return { pass, detached: true };
  }
  return { pass: pass + filter.end().toString(), detached: false };
}

test('the sequence is found within a piece and across pieces, and does not pass', () => {
  for (const pieces of [
    ['\x10\x11'],
    ['\x10', '\x11'],
    ['ls\n\x10', '', '\x11more'],
    ['\x10\x10\x11'],
    ['x\x10\x11y'],
  ]) {
    const before = pieces.join('').split('\x10\x11')[0];
    assert.deepEqual(typed(sequence, ...pieces), { pass: before, detached: true }, JSON.stringify(pieces));
  }
});

test('what only looks like its beginning passes', () => {
  for (const pieces of [['\x10'], ['\x10', 'a'], ['\x10', '\x10', 'x'], ['a\x10b\x10c'], ['\x11\x10']]) {
    assert.deepEqual(typed(sequence, ...pieces), { pass: pieces.join(''), detached: false }, JSON.stringify(pieces));
  }
});

test('a beginning is held back until the next key tells', () => {
  const filter = new DetachKeyFilter(sequence);
  assert.equal(filter.push(Buffer.from('a\x10')).pass.toString(), 'a');
  assert.equal(filter.push(Buffer.from('b')).pass.toString(), '\x10b');
  assert.equal(filter.end().length, 0);
});

test('a sequence that repeats itself is found wherever it is cut', () => {
  const keys = parseDetachKeys('a,a,b');
  const text = 'aaaaabtail';
  for (let first = 0; first <= text.length; first++) {
    for (let second = first; second <= text.length; second++) {
      const pieces = [text.slice(0, first), text.slice(first, second), text.slice(second)];
      assert.deepEqual(typed(keys, ...pieces), { pass: 'aaa', detached: true }, JSON.stringify(pieces));
    }
  }
});

test('without keys everything passes', () => {
  assert.deepEqual(typed(parseDetachKeys(''), '\x10\x11'), { pass: '\x10\x11', detached: false });
});

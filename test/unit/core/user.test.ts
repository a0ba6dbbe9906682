import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { parseUser } from '#lib/core/user.js';

test('a user is a name or a number, with or without a group', () => {
  assert.deepEqual(parseUser('www-data'), { user: { name: 'www-data' } });
  assert.deepEqual(parseUser('1000'), { user: { id: 1000 } });
  assert.deepEqual(parseUser('0:0'), { user: { id: 0 }, group: { id: 0 } });
  assert.deepEqual(parseUser('postgres:5'), { user: { name: 'postgres' }, group: { id: 5 } });
  assert.deepEqual(parseUser('2147483647:tty'), { user: { id: 2_147_483_647 }, group: { name: 'tty' } });
});

test('an empty part is as if left out', () => {
  assert.deepEqual(parseUser(''), { user: { id: 0 } });
  assert.deepEqual(parseUser('1000:'), { user: { id: 1000 } });
  assert.deepEqual(parseUser(':10'), { user: { id: 0 }, group: { id: 10 } });
});

test('no other notation of a number becomes a user, least of all root', () => {
  const numbers = ['01', '00', '0x1', '+1', '-1', ' 1', '1 ', '1e3', '1.0', '2147483648', '4294967296', '4294967295'];
  const huge = ['99999999999999999999', '1\n', '\t1', '1\0', '１', '0b1', '1_000'];
  for (const part of [...numbers, ...huge]) {
    for (const text of [part, `${part}:0`, `root:${part}`]) {
      assert.throws(
        () => parseUser(text, 'exec.user'),
        (error) => EngineError.is(error, 'INVALID_OPTION') && error.data.option === 'exec.user',
        JSON.stringify(text),
      );
    }
  }
  for (const text of ['a:b:c', 'a b', '../etc', 'ro\not', 'root\0', '$(id)', 'a'.repeat(300)]) {
    assert.throws(() => parseUser(text), JSON.stringify(text));
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPath, mergeEnvironment } from '#lib/core/environment.js';
import { EngineError } from '#lib/core/errors/engine-error.js';

test('defaults give way to the image, the image to the caller', () => {
  const merged = mergeEnvironment({
    image: ['PATH=/image', 'A=1', 'B=image', 'A=2'],
    option: { B: 'option', C: 'x=y' },
    hostname: 'h',
    tty: true,
  });
  assert.deepEqual(merged, ['PATH=/image', 'HOSTNAME=h', 'TERM=xterm', 'A=2', 'B=option', 'C=x=y']);
  assert.deepEqual(mergeEnvironment({}), [`PATH=${defaultPath}`]);
});

test('a variable can be unset in either form, defaults too', () => {
  assert.deepEqual(mergeEnvironment({ image: ['A=1', 'B=2'], option: ['A', 'PATH', 'C=', 'B=3'] }), ['B=3', 'C=']);
  assert.deepEqual(mergeEnvironment({ image: ['A=1'], option: { A: undefined, PATH: undefined } }), []);
});

test('names from JSON prototypes are ordinary names', () => {
  const option = JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string>;
  assert.deepEqual(mergeEnvironment({ option }).slice(1), ['__proto__=x', 'constructor=y']);
});

test('a variable that execve cannot pass on is refused, without showing its value', () => {
  for (const option of [['=x'], [''], { '': 'secret' }, { 'A=B': 'secret' }, { A: 'secret\0' }, ['A\0=secret']]) {
    assert.throws(
      () => mergeEnvironment({ option }),
      (error) =>
        EngineError.is(error, 'INVALID_OPTION') && error.data.option === 'env' && !error.message.includes('secret'),
    );
  }
});

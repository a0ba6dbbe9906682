import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { parseBytes } from '#lib/core/units.js';

test('sizes are bytes or carry a unit of 1024', () => {
  assert.equal(parseBytes(512, 'memory'), 512);
  assert.equal(parseBytes('200m', 'memory'), 200 * 1024 * 1024);
  assert.equal(parseBytes('1.5g', 'memory'), 1.5 * 1024 ** 3);
  assert.equal(parseBytes('64KiB', 'memory'), 65_536);
  assert.equal(parseBytes('7b', 'memory'), 7);
});

test('a size that is none names the option and the value', () => {
  for (const bad of ['', 'm', '-1', '1e3', '12x', Number.NaN, -1, 1.5]) {
    assert.throws(
      () => parseBytes(bad, 'memory'),
      (error) => EngineError.is(error, 'INVALID_OPTION') && error.data.option === 'memory',
    );
  }
});

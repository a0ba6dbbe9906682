import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type HealthcheckConfig,
  type HealthcheckOption,
  resolveHealthcheck,
} from '#lib/container/health/healthcheck-option.js';
import { EngineError } from '#lib/core/errors/engine-error.js';
import type { ImageHealthcheck } from '#lib/core/image-config.js';

const resolve = (option?: HealthcheckOption, Healthcheck?: ImageHealthcheck, Shell?: string[]) =>
  resolveHealthcheck(option, { ...(Healthcheck && { Healthcheck }), ...(Shell && { Shell }) }).healthcheck;

const defaults: Omit<HealthcheckConfig, 'command'> = {
  intervalMs: 30_000,
  timeoutMs: 30_000,
  retries: 3,
  startPeriodMs: 0,
  startIntervalMs: 5000,
};

describe('a health check', () => {
  test('is none without a test, and none where NONE is said', () => {
    for (const healthcheck of [
      resolve(),
      resolve({ intervalMs: 100 }),
      resolve(undefined, { Test: ['NONE'] }),
      resolve(undefined, { Test: [] }),
      resolve({ test: ['NONE'] }, { Test: ['CMD', 'true'] }),
      resolve({ test: 'NONE' }, { Test: ['CMD', 'true'] }),
    ])
      assert.equal(healthcheck, undefined);
  });

  test('is a command, or a line for the shell of the image', () => {
    assert.deepEqual(resolve({ test: ['CMD', 'ask', 'it'] }), { command: ['ask', 'it'], ...defaults });
    assert.deepEqual(resolve({ test: ['CMD-SHELL', 'ask it'] })?.command, ['/bin/sh', '-c', 'ask it']);
    assert.deepEqual(resolve({ test: 'ask it' })?.command, ['/bin/sh', '-c', 'ask it']);
    assert.deepEqual(resolve({ test: 'ask it' }, undefined, ['bash', '-ec'])?.command, ['bash', '-ec', 'ask it']);
  });

  test("takes from the image what is left out, in the image's nanoseconds, whose 0 and nonsense mean the default", () => {
    const image = {
      Test: ['CMD-SHELL', 'x'],
      Interval: 2_000_000_000,
      Timeout: 0,
      StartPeriod: 1_500_000,
      StartInterval: -5,
      Retries: 7,
    };
    const fromImage = { ...defaults, intervalMs: 2000, retries: 7, startPeriodMs: 2 };
    assert.deepEqual(resolve(undefined, image), { command: ['/bin/sh', '-c', 'x'], ...fromImage });
    assert.deepEqual(resolve({ retries: 1, test: ['CMD', 'y'] }, image), { ...fromImage, command: ['y'], retries: 1 });
    assert.equal(resolve(undefined, { ...image, Interval: 10 })?.intervalMs, 1);
  });

  test('that makes no sense is refused, and the option named', () => {
    const rows: [HealthcheckOption, string][] = [
      [{ test: [] }, 'test'],
      [{ test: ['ask'] }, 'test'],
      [{ test: ['CMD'] }, 'test'],
      [{ test: ['CMD', ''] }, 'test'],
      [{ test: ['CMD-SHELL', 'a', 'b'] }, 'test'],
      [{ test: ['CMD', 'a\0b'] }, 'test'],
      [{ test: '' }, 'test'],
      [{ test: 5 as unknown as string }, 'test'],
      [{ test: 'x', intervalMs: 0 }, 'intervalMs'],
      [{ test: 'x', timeoutMs: 2 ** 31 }, 'timeoutMs'],
      [{ test: 'x', retries: 1.5 }, 'retries'],
      [{ test: 'x', startPeriodMs: -1 }, 'startPeriodMs'],
      [{ test: 'x', startIntervalMs: '5' as unknown as number }, 'startIntervalMs'],
      [{ test: 'x', interval: 5 } as HealthcheckOption, 'interval'],
    ];
    for (const [option, name] of rows) {
      assert.throws(
        () => resolve(option),
        (error) => EngineError.is(error, 'INVALID_OPTION') && error.data.option === `healthcheck.${name}`,
        JSON.stringify(option),
      );
    }
  });
});

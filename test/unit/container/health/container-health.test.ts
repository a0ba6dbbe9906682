import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  afterProbe,
  type ContainerHealth,
  type HealthProbe,
  probeDelayMs,
  startingHealth,
} from '#lib/container/health/container-health.js';
import type { HealthcheckConfig } from '#lib/container/health/healthcheck-option.js';

const check: HealthcheckConfig = {
  command: ['x'],
  intervalMs: 30,
  timeoutMs: 10,
  retries: 2,
  startPeriodMs: 100,
  startIntervalMs: 5,
};
const startedAt = new Date(1_000_000);
const probe = (exitCode: number, afterMs = 1000): HealthProbe => {
  const start = new Date(startedAt.getTime() + afterMs);
  return { start, end: start, exitCode, output: `${exitCode}` };
};
const after = (probes: readonly HealthProbe[], from: ContainerHealth = startingHealth): ContainerHealth =>
  probes.reduce((health, each) => afterProbe(health, each, check, startedAt), from);
const brief = ({ status, failingStreak }: ContainerHealth): string => `${status} ${failingStreak}`;

describe('health', () => {
  test('is healthy after one success, and unhealthy after as many failures in a row as retries', () => {
    assert.equal(brief(after([probe(0)])), 'healthy 0');
    assert.equal(brief(after([probe(1)])), 'starting 1');
    assert.equal(brief(after([probe(0), probe(1)])), 'healthy 1');
    assert.equal(brief(after([probe(0), probe(1), probe(0), probe(1)])), 'healthy 1');
    assert.equal(brief(after([probe(0), probe(1), probe(-1)])), 'unhealthy 2');
    assert.equal(brief(after([probe(1), probe(1), probe(1)])), 'unhealthy 3');
    assert.equal(brief(after([probe(1), probe(1), probe(0)])), 'healthy 0');
  });

  test('forgives failures in the start period, until the first success', () => {
    assert.equal(brief(after([probe(1, 1), probe(1, 50), probe(1, 99)])), 'starting 0');
    assert.equal(brief(after([probe(1, 99), probe(1, 100), probe(1, 101)])), 'unhealthy 2');
    assert.equal(brief(after([probe(0, 1), probe(1, 2), probe(1, 3)])), 'unhealthy 2');
  });

  test('keeps the last five results, oldest first', () => {
    const { log } = after([0, 1, 2, 3, 4, 5, 6].map((code) => probe(code)));
    assert.deepEqual(
      log.map(({ exitCode }) => exitCode),
      [2, 3, 4, 5, 6],
    );
  });

  test('is looked at more often while it starts', () => {
    assert.equal(probeDelayMs(startingHealth, check, 0), 5);
    assert.equal(probeDelayMs(startingHealth, check, 99), 5);
    assert.equal(probeDelayMs(startingHealth, check, 100), 30);
    assert.equal(probeDelayMs(after([probe(0)]), check, 0), 30);
  });
});

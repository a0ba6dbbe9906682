import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failedWrites } from '../campaign/failed-writes.js';
import { killsAtWork } from '../campaign/kills-at-work.js';

/** The same in every run; `npm run test:faults` takes another one each time, and larger numbers. */
const seed = 2_718_281;

test('each file that cannot be read or changed is a typed error, and nothing is left of it', async (context) => {
  const operations = ['open', 'create', 'rename', 'stop', 'remove'];
  const { cases, findings } = await failedWrites({ errors: ['EIO'], operations });
  context.diagnostic(`${cases} calls made to fail`);
  assert.deepEqual(findings, []);
  assert.ok(cases > 40);
});

test('an engine or a shim that is killed at work loses, doubles and leaves nothing', async (context) => {
  const report = await killsAtWork({ seed, moments: 8 });
  context.diagnostic(`seed ${seed}: ${JSON.stringify(report)}`);
  assert.equal(report.enginesKilled + report.shimsKilled, 8);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exactExits } from '../campaign/exact-exits.js';
import { killedOwners } from '../campaign/killed-owners.js';
import { killedPulls } from '../campaign/killed-pulls.js';

/** The same in every run; `npm run test:campaign` takes another one each time, and larger numbers. */
const seed = 3_141_592;

test('an owner that is killed at random moments leaves nothing', async (context) => {
  const report = await killedOwners({ seed, moments: 8 });
  context.diagnostic(`seed ${seed}: ${JSON.stringify(report)}`);
  assert.equal(report.moments, 8);
});

test('a pull that is killed at random moments is completed by the next, which fetches nothing twice', async (context) => {
  const report = await killedPulls({ seed, moments: 12 });
  context.diagnostic(`seed ${seed}: ${JSON.stringify(report)}`);
  assert.equal(report.early + report.midway + report.late + report.done, 12);
  assert.ok(report.midway > 0);
});

test('random ends and outputs of many processes at once arrive exactly', async (context) => {
  const report = await exactExits({ seed, runs: 300, concurrency: 16, maxBytes: 1024 * 1024 });
  context.diagnostic(`seed ${seed}: ${JSON.stringify(report)}`);
  assert.equal(report.runs + report.execs, 300);
});

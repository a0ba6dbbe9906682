import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EngineError } from 'tscontainer';
import { openEngineLab } from '../helpers/engine-lab.js';
import { readAll } from '../helpers/read-all.js';
import { compareListings, listTree } from '../helpers/tree-listing.js';

const ROUNDS = 500;

test('CVE-2018-15664: links that are exchanged while files are copied lead nowhere on the host', async (context) => {
  await using lab = await openEngineLab();
  const outside = join(lab.directory, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'canary'), 'of the host');
  const before = await listTree(outside);
  // Where the trap leads there is something on the host, and something else in the container.
  const image = lab.image([{ name: `${outside.slice(1)}/canary`, content: 'of the container' }]);
  const flip = `mkdir -p /w/real; echo inside > /w/real/canary; ln -s ${outside} /w/trap; cd /w
    while :; do mv real d; mv d real; mv trap d; mv d trap; done 2>/dev/null`;
  await using container = await lab.engine.containers.create({ image, command: ['sh', '-c', flip], network: 'none' });
  await container.start();
  let [copied, read] = [0, 0];
  for (let round = 0; round < ROUNDS; round += 1) {
    try {
      await container.copyTo('/w/d/copied', { content: 'x' });
      copied += 1;
    } catch (error) {
      assert.ok(EngineError.is(error), String(error)); // in this moment there was no such directory
    }
    try {
      const archive = await readAll(container.copyFrom('/w/d/canary'));
      assert.ok(!archive.includes('of the host'), `round ${round}`);
      read += 1;
    } catch (error) {
      assert.ok(EngineError.is(error), String(error));
    }
  }
  assert.deepEqual(compareListings(before, await listTree(outside)), []);
  context.diagnostic(`${copied} of ${ROUNDS} copied, ${read} read`);
  assert.ok(copied > 0 && read > 0);
});

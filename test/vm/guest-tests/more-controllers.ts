import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { makeGroup } from '../../helpers/host-cgroup.js';

test('huge pages and the weight of block I/O are limited by the files of their controllers', async (context) => {
  const plan = await makeGroup(context, 'more', {
    blkioWeight: 500,
    hugepageLimits: [{ pageSize: '2MB', limit: 4_194_304 }],
  });
  const directory = dirname(plan.files.processes ?? '');
  const read = async (name: string): Promise<string> => (await readFile(`${directory}/${name}`, 'utf8')).trim();
  assert.equal(await read('hugetlb.2MB.max'), '4194304');
  assert.equal(await read('io.weight'), 'default 4950');
  assert.equal(await read('io.bfq.weight'), 'default 500');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Limiter } from '#lib/util/limiter.js';

test('no more than the bound runs at once, all of it runs, failures give their place back', async () => {
  const limiter = new Limiter(2);
  let running = 0;
  let most = 0;
  const work = Array.from({ length: 7 }, (_, index) =>
    limiter.run(async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      if (index === 2) throw new Error('third');
      return index;
    }),
  );
  const results = await Promise.allSettled(work);
  assert.equal(most, 2);
  assert.deepEqual(
    results.map((result) => (result.status === 'fulfilled' ? result.value : 'failed')),
    [0, 1, 'failed', 3, 4, 5, 6],
  );
});

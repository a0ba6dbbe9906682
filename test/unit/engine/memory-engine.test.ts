import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openMemoryLab } from '../../helpers/memory-lab.js';

test('a run on fakes gives exit and output, and leaves nothing', async (context) => {
  const { engine, root } = await openMemoryLab(context);
  const result = await engine.run('test', ['talk'], { env: { GREETING: 'hi' } });
  assert.deepEqual([result.exitCode, result.stdout, result.stderr], [0, 'out\nhi', 'err\n']);
  assert.deepEqual(readdirSync(join(root, 'containers')), []);
  assert.deepEqual(readdirSync(join(root, 'run', 'containers')), []);
});

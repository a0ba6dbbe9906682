import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseRequest } from '#lib/testing/contracts/launcher-under-test.js';
import { openShimLauncher } from '../../helpers/shim-launcher-fixture.js';

test('a program goes on when the disk that holds its log is full', async () => {
  await using tested = await openShimLauncher();
  const spec = tested.spec('flood', ['1000'], {});
  const launched = await tested.launcher.launch({ ...baseRequest, spec, output: { logFile: '/dev/full' } });
  const letGo = launched.keepAlive();
  assert.equal((await launched.exited).exitCode, 0);
  await launched.released;
  letGo();
});

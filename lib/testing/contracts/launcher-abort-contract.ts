import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startTicksOf } from '../../util/start-ticks.js';
import type { LauncherContract } from './launcher-under-test.js';
import { numbersIn } from './numbers-in.js';
import { textOf } from './text-of.js';

/** What a {@link Launcher} does when it is told to stop. */
export function launcherAbortContract(contract: LauncherContract): void {
  const reason = new Error('changed my mind');

  contract('nothing starts after an abort', async (launch, { directory }) => {
    const processFile = join(directory, 'process');
    const signal = AbortSignal.abort(reason);
    await assert.rejects(launch('hang', [], { processFile, signal }), (error) => error === reason);
    assert.ok(!existsSync(processFile));
  });

  for (const lifetime of ['owner', 'detached'] as const) {
    contract(`an abort while it starts ends what has started (${lifetime})`, async (launch, { directory }) => {
      const controller = new AbortController();
      const processFile = join(directory, 'process');
      const launching = launch('hang', [], { processFile, lifetime, signal: controller.signal });
      controller.abort(reason);
      await assert.rejects(launching, (error) => error === reason);
      if (existsSync(processFile)) {
        const [pid, ticks] = numbersIn(processFile);
        assert.notEqual(startTicksOf(Number(pid)), ticks, 'the process is gone');
      }
    });
  }

  contract('an abort after the start changes nothing', async (launch) => {
    const controller = new AbortController();
    const process = await launch('polite', [], { signal: controller.signal });
    await textOf(process.stdout).includes('ready\n');
    controller.abort(reason);
    process.signal(15);
    assert.equal((await process.exited).exitCode, 7);
    await process.released;
  });

  contract(
    'a launcher that was closed launches again, and lets go of nothing that runs',
    async (launch, { launcher }) => {
      const process = await launch('polite');
      const output = textOf(process.stdout);
      await output.includes('ready\n');
      await launcher.close();
      await launcher.close();
      const other = await launch('exit', ['4']);
      assert.equal((await other.exited).exitCode, 4);
      process.signal(15);
      assert.equal((await process.exited).exitCode, 7);
      await Promise.all([process.released, other.released]);
    },
  );
}

import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';
import type { ContainerSpec } from '../../runtime/container-spec.js';
import type { PlanOperation, PlanStage } from '../../runtime/launch-plan.js';
import { baseRequest, type LauncherContract } from './launcher-under-test.js';

/** What a {@link Launcher} does when a launch fails. */
export function launcherFailureContract(contract: LauncherContract): void {
  contract('a missing program and one that cannot be executed are told apart', async (_, tested) => {
    const missing = tested.launcher.launch({ ...baseRequest, spec: tested.brokenSpec('missing') });
    await assert.rejects(missing, (error) => EngineError.is(error, 'PROGRAM_NOT_FOUND') && error.data.exitCode === 127);
    const closed = tested.launcher.launch({ ...baseRequest, spec: tested.brokenSpec('not executable') });
    await assert.rejects(
      closed,
      (error) => EngineError.is(error, 'PROGRAM_NOT_EXECUTABLE') && error.data.exitCode === 126,
    );
  });

  for (const stage of ['prepare', 'parent', 'child'] as const) {
    contract(`a failure of stage ${stage} names what failed, and is cleaned up after`, async (_, tested) => {
      const made = join(tested.directory, 'made');
      const spec = withOperations(tested.spec('hang', [], {}), made, stage);
      const files = { processFile: join(tested.directory, 'process'), exitFile: join(tested.directory, 'exit') };
      await assert.rejects(tested.launcher.launch({ ...baseRequest, ...files, spec }), (error) => {
        assert.ok(EngineError.is(error, 'LAUNCH_FAILED'), String(error));
        const { operation, errno, operand } = error.data;
        assert.deepEqual(
          { stage: error.data.stage, operation, errno, operand },
          { stage, operation: 'write-file: open', errno: 'ENOENT', operand: missingFile },
        );
        return true;
      });
      assert.ok(!existsSync(made), 'stage cleanup was executed');
      assert.ok(!existsSync(files.processFile) && !existsSync(files.exitFile));
    });
  }

  contract(
    'what stage prepare has made is there while the program runs, and gone when it is released',
    async (_, tested) => {
      const made = join(tested.directory, 'made');
      const process = await tested.launcher.launch({
        ...baseRequest,
        spec: withOperations(tested.spec('hang', [], {}), made),
      });
      assert.ok(existsSync(made));
      process.signal(9);
      await process.released;
      assert.ok(!existsSync(made));
    },
  );

  contract(
    'a failing clean-up is told by the release, skips nothing, and leaves the exit as it was',
    async (_, tested) => {
      const made = join(tested.directory, 'made');
      const spec = withOperations(tested.spec('exit', ['6'], {}), made, 'cleanup');
      const process = await tested.launcher.launch({ ...baseRequest, spec });
      assert.equal((await process.exited).exitCode, 6);
      await assert.rejects(
        process.released,
        (error) =>
          EngineError.is(error, 'LAUNCH_FAILED') && error.data.stage === 'cleanup' && error.data.errno === 'ENOENT',
      );
      assert.ok(!existsSync(made));
    },
  );
}

const missingFile = '/nonexistent/tscontainer';

/** Adds a directory that lives as long as the process, and an operation that fails in stage `failing`. */
function withOperations(spec: ContainerSpec, made: string, failing?: PlanStage): ContainerSpec {
  const failure: PlanOperation = { op: 'write-file', path: missingFile, data: '' };
  const before = (stage: PlanStage): readonly PlanOperation[] => (stage === failing ? [failure] : []);
  mkdirSync(join(made, '..'), { recursive: true });
  return {
    ...spec,
    network: {
      prepare: [{ op: 'make-directory', path: made, mode: 0o700 }, ...before('prepare')],
      parent: before('parent'),
      child: before('child'),
      cleanup: [...before('cleanup'), { op: 'remove-directory', path: made }],
    },
  };
}

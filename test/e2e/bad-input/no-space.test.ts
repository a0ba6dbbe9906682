import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { file } from '../../helpers/busybox-layer.js';
import { openEngineLab } from '../../helpers/engine-lab.js';
import type { NoSpaceReport } from '../../helpers/no-space-program.js';
import { runChecked } from '../../helpers/run-checked.js';

test('a full disk is told by its path, leaves nothing, and the next call works', async () => {
  await using lab = await openEngineLab();
  const directory = join(lab.directory, 'small');
  await mkdir(directory);
  const large = lab.image([file('large', randomBytes(8 * 1024 * 1024))]);
  const program = fileURLToPath(new URL('../../helpers/no-space-program.js', import.meta.url));
  const argument = JSON.stringify({ directory, small: lab.image(), large });
  const output = await runChecked('unshare', ['-m', process.execPath, program, argument]);
  const { reports, stdout, exitCode } = JSON.parse(output) as {
    reports: NoSpaceReport[];
    stdout: string;
    exitCode: number;
  };
  for (const { step, code, kind, operand, leftBehind } of reports) {
    assert.deepEqual({ code, kind }, { code: 'NO_SPACE', kind: 'unavailable' }, `${step}: ${operand}`);
    assert.ok(operand.includes(directory), `${step} names the place: ${operand}`);
    assert.deepEqual(leftBehind, [], step);
  }
  assert.deepEqual(
    reports.map(({ step }) => step),
    ['pull', 'create', 'run', 'start', 'fromHost'],
  );
  assert.equal(stdout, 'space again\n');
  assert.equal(exitCode, 0);
});

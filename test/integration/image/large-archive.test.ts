import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { LargeArchiveReport } from '../../helpers/large-archive-program.js';
import { runChecked } from '../../helpers/run-checked.js';
import { workspace } from '../../helpers/workspace.js';

const program = fileURLToPath(new URL('../../helpers/large-archive-program.js', import.meta.url));
const mebibyte = 1024 * 1024;

test('an image of 200 MiB is imported, saved and loaded with little memory and a free event loop', async (context) => {
  await using place = await workspace();
  const printed = await runChecked(process.execPath, [program, place.path]);
  const report = JSON.parse(printed) as LargeArchiveReport;
  context.diagnostic(printed.trim());
  assert.ok(report.isSame);
  assert.ok(report.archiveBytes > 200 * mebibyte);
  assert.ok(report.saveMs < 10, `a turn of ${report.saveMs} ms while saving`);
  assert.ok(report.loadMs < 10, `a turn of ${report.loadMs} ms while loading`);
  assert.ok(report.memoryBytes < 150 * mebibyte, `${report.memoryBytes} bytes`);
});

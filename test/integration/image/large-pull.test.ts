import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { digestOf } from '#lib/core/digest.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { openEngineLab } from '../../helpers/engine-lab.js';
import type { LargePullReport } from '../../helpers/large-pull-program.js';
import { publishImage } from '../../helpers/publish-image.js';
import { runChecked } from '../../helpers/run-checked.js';
import { tarOf } from '../../helpers/tar-builder.js';

const program = fileURLToPath(new URL('../../helpers/large-pull-program.js', import.meta.url));
const mebibyte = 1024 * 1024;

test('six layers of 40 MiB are fetched and unpacked side by side, with little memory, and progress tells all of it', async (context) => {
  await using lab = await openEngineLab();
  const layers = Array.from({ length: 6 }, (_, index) => {
    const archive = tarOf({ name: `file-${index}`, content: randomFillSync(Buffer.alloc(40 * mebibyte)) });
    return {
      blob: gzipSync(archive, { level: 1 }),
      diffId: digestOf(archive),
      mediaType: mediaTypes.ociLayerGzip,
    };
  });
  const reference = publishImage(lab.registry, 'large/image', { layers });
  const printed = await runChecked(process.execPath, [program, JSON.stringify(lab.options), reference]);
  const report = JSON.parse(printed) as LargePullReport;
  context.diagnostic(printed.trim());
  const totalBytes = layers.reduce((sum, { blob }) => sum + blob.byteLength, 0);
  assert.deepEqual([report.totalBytes, report.doneBytes, report.unpackedLayers], [totalBytes, totalBytes, 6]);
  assert.ok(report.parallel > 1 && report.parallel <= 4, `${report.parallel} at once`);
  assert.ok(report.memoryBytes < 240 * mebibyte, `${report.memoryBytes} bytes, the image has ${totalBytes}`);
});

import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { toLayerError } from '#lib/layers/shim/shim-error.js';
import { parseShimReport } from '#lib/layers/shim/shim-report.js';

test('a report of success is decoded, names stay bytes', () => {
  const report = parseShimReport(
    Buffer.from('Da/b\0Da\0Hl\0t/\xff\0R1:2:493\x005.000000006\0OWf\0left out\0S3\x00100\0', 'latin1'),
  );
  assert.deepEqual(report.implicit, ['a', 'a/b']);
  assert.deepEqual(report.links, [{ path: 'l', target: 't/\xff' }]);
  assert.deepEqual(report.root, { uid: 1, gid: 2, mode: 0o755, mtime: '5.000000006' });
  assert.equal(report.rootOpaque, true);
  assert.deepEqual(report.warnings, [{ entry: 'f', text: 'left out' }]);
  assert.deepEqual([report.entries, report.bytes, report.isComplete, report.failure], [3, 100, true, undefined]);
});

test('a report that ends early is not complete', () => {
  for (const text of ['', 'Da\0', 'S3\x0010', 'E5\0op\0detail\0'])
    assert.equal(parseShimReport(Buffer.from(text)).isComplete, false, text);
});

test('failures get the code that says who is at fault', () => {
  const { errno } = constants;
  const codes: [number: number, operation: string, code: string][] = [
    [errno.EBADMSG, 'tar', 'INVALID_LAYER'],
    [errno.ENOTDIR, 'openat2', 'INVALID_LAYER'],
    [errno.ENAMETOOLONG, 'openat', 'INVALID_LAYER'],
    [errno.ENOSPC, 'write', 'NO_SPACE'],
    [errno.EDQUOT, 'mkdirat', 'NO_SPACE'],
    [errno.EPERM, 'mknodat', 'SYSTEM_CALL_FAILED'],
    [errno.EIO, 'write', 'SYSTEM_CALL_FAILED'],
    [errno.EINVAL, 'pivot_root', 'SYSTEM_CALL_FAILED'],
  ];
  for (const [number, operation, code] of codes) {
    const error = toLayerError({ errno: number, operation, detail: 'x', entry: 'e' }, 'sha256:1', '/store');
    assert.equal(error.code, code, operation);
  }
  const { data } = toLayerError(
    { errno: errno.EPERM, operation: 'mknodat', detail: 'null', entry: 'dev/null' },
    '',
    '/s',
  );
  assert.match(JSON.stringify(data), /only root/);
});

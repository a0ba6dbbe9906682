import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { FsContentStore } from '#lib/content/fs/fs-content-store.js';
import { digestOf } from '#lib/core/digest.js';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { libcFileLocker } from '../../helpers/libc-file-locker.js';
import { temporaryDirectory } from '../../helpers/temporary-directory.js';

const run = promisify(execFile);

test('a full disk is one clear error, gets its space back, and smaller blobs still fit', async () => {
  await using directory = await temporaryDirectory();
  const mountPoint = join(directory.path, 'small');
  await mkdir(mountPoint);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tsc-test', mountPoint]);
  try {
    const root = join(mountPoint, 'content');
    const store = new FsContentStore(root, libcFileLocker());
    const large = Buffer.alloc(2_000_000, 'x');
    const isNoSpace = (error: unknown): boolean =>
      EngineError.is(error, 'NO_SPACE') && error.data.path.startsWith(root);
    const descriptor = { mediaType: 'x/y', digest: digestOf(large), size: large.byteLength };
    const source = async (offset: number) => ({
      offset,
      body: (async function* () {
        yield large.subarray(offset);
      })(),
    });
    await assert.rejects(store.ingest(descriptor, source), isNoSpace);
    assert.deepEqual(await readdir(join(root, 'ingest')), []);
    await assert.rejects(store.put(large), isNoSpace);
    assert.deepEqual(await readdir(join(root, 'ingest')), []);
    const small = await store.put(large.subarray(0, 500_000));
    assert.equal((await store.stat(small.digest))?.size, 500_000);
  } finally {
    await run('umount', [mountPoint]);
  }
});

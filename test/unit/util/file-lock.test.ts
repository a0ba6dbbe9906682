import assert from 'node:assert/strict';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { acquireFileLock, type FileLocker } from '#lib/util/file-lock.js';
import { memoryFileLocker } from '../../helpers/memory-file-locker.js';
import { temporaryDirectory } from '../../helpers/temporary-directory.js';

/** Resolves `refused` when somebody has found the lock taken. */
function watched(): { locker: FileLocker; refused: Promise<void> } {
  const inner = memoryFileLocker();
  let report: () => void = () => undefined;
  const refused = new Promise<void>((resolve) => {
    report = resolve;
  });
  const locker: FileLocker = {
    tryLock: (fd, mode) => {
      const got = inner.tryLock(fd, mode);
      if (!got) report();
      return got;
    },
    unlock: (fd) => inner.unlock(fd),
  };
  return { locker, refused };
}

test('one holder at a time; the next gets it on release', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'lock');
  const { locker, refused } = watched();
  const first = await acquireFileLock(locker, path);
  let secondHasIt = false;
  const second = acquireFileLock(locker, path).then((lock) => {
    secondHasIt = true;
    return lock;
  });
  await refused;
  assert.equal(secondHasIt, false);
  await first.release();
  await first.release();
  const lock = await second;
  await lock.file.writeFile('through the handle');
  await lock.release();
  assert.equal(await readFile(path, 'utf8'), 'through the handle');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('shared holders go together, an exclusive one waits for them', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'lock');
  const locker = memoryFileLocker();
  const a = await acquireFileLock(locker, path, { mode: 'shared' });
  const b = await acquireFileLock(locker, path, { mode: 'shared' });
  await assert.rejects(acquireFileLock(locker, path, { timeoutMs: 0 }), (error) => {
    assert.ok(EngineError.is(error, 'LOCK_TIMEOUT'));
    return error.data.path === path;
  });
  await a.release();
  await b.release();
  await (await acquireFileLock(locker, path, { timeoutMs: 0 })).release();
});

test('waiting ends with the reason of an abort, or at its time', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'lock');
  const { locker, refused } = watched();
  await using _held = await acquireFileLock(locker, path);
  const controller = new AbortController();
  const waiting = acquireFileLock(locker, path, { signal: controller.signal });
  await refused;
  const reason = new Error('enough');
  controller.abort(reason);
  await assert.rejects(waiting, (error) => error === reason);
  await assert.rejects(acquireFileLock(locker, path, { timeoutMs: 20 }), { code: 'LOCK_TIMEOUT' });
  await assert.rejects(
    acquireFileLock(locker, path, { signal: AbortSignal.abort(reason) }),
    (error) => error === reason,
  );
});

test('a file that its holder removes or renames is not locked in vain', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'lock');
  for (const goAway of [() => rm(path), () => rename(path, `${path}.done`)]) {
    const { locker, refused } = watched();
    const first = await acquireFileLock(locker, path);
    const second = acquireFileLock(locker, path);
    await refused;
    await goAway();
    await first.release();
    const lock = await second;
    assert.equal((await lock.file.stat()).ino, (await stat(path)).ino);
    await lock.release();
  }
});

test('a directory that is missing is an error of the system', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'missing', 'lock');
  await assert.rejects(acquireFileLock(memoryFileLocker(), path), { code: 'ENOENT' });
});

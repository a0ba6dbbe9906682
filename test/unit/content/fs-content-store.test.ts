import assert from 'node:assert/strict';
import { mkdir, open, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { BlobSource } from '#lib/content/content-store.js';
import { FsContentStore } from '#lib/content/fs/fs-content-store.js';
import { digestOf } from '#lib/core/digest.js';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { memoryFileLocker } from '../../helpers/memory-file-locker.js';
import { temporaryDirectory } from '../../helpers/temporary-directory.js';

const content = Buffer.from('some content that is long enough to be cut'.repeat(1000));
const digest = digestOf(content);
const hex = digest.slice('sha256:'.length);
const blob = { mediaType: 'x/y', digest, size: content.byteLength };

interface Subject extends AsyncDisposable {
  readonly root: string;
  readonly store: FsContentStore;
  readonly partial: string;
}

async function subject(): Promise<Subject> {
  const directory = await temporaryDirectory();
  const root = join(directory.path, 'content');
  return {
    root,
    store: new FsContentStore(root, memoryFileLocker()),
    partial: join(root, 'ingest', `sha256-${hex}`),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

function recording(): { source: BlobSource; offsets: number[] } {
  const offsets: number[] = [];
  const source: BlobSource = async (offset) => {
    offsets.push(offset);
    return {
      offset,
      body: (async function* () {
        yield content.subarray(offset);
      })(),
    };
  };
  return { source, offsets };
}

test('blobs are plain files that only their owner can read', async () => {
  await using s = await subject();
  const { source } = recording();
  await s.store.ingest(blob, source);
  await s.store.put(Buffer.from('put'));
  assert.deepEqual(await readFile(join(s.root, 'blobs', 'sha256', hex)), content);
  assert.deepEqual(await readdir(join(s.root, 'ingest')), []);
  for (const [path, mode] of [
    [s.root, 0o700],
    [join(s.root, 'ingest'), 0o700],
    [join(s.root, 'blobs', 'sha256'), 0o700],
    [join(s.root, 'blobs', 'sha256', hex), 0o600],
  ] as const) {
    assert.equal((await stat(path)).mode & 0o777, mode, path);
  }
});

test('what a crashed process has left is hashed and continued', async () => {
  await using s = await subject();
  await mkdir(join(s.root, 'ingest'), { recursive: true });
  await writeFile(s.partial, content.subarray(0, 1234));
  const { source, offsets } = recording();
  await s.store.ingest(blob, source);
  assert.deepEqual(offsets, [1234]);

  await s.store.remove(digest);
  await writeFile(s.partial, content);
  await s.store.ingest(blob, source);
  assert.deepEqual(offsets, [1234], 'a complete partial file needs no download');
  assert.deepEqual(await readdir(join(s.root, 'ingest')), []);
});

test('what a power cut has damaged does not condemn the blob', async () => {
  for (const damaged of [Buffer.alloc(500), Buffer.alloc(content.byteLength), Buffer.alloc(content.byteLength + 1)]) {
    await using s = await subject();
    await mkdir(join(s.root, 'ingest'), { recursive: true });
    await writeFile(s.partial, damaged);
    const { source, offsets } = recording();
    await s.store.ingest(blob, source);
    assert.equal(offsets.at(-1), 0);
    assert.deepEqual(await readFile(join(s.root, 'blobs', 'sha256', hex)), content);
  }
});

test('wrong content leaves no file, other downloads stay as they are', async () => {
  await using s = await subject();
  await mkdir(join(s.root, 'ingest'), { recursive: true });
  const other = `sha256-${'0'.repeat(64)}`;
  await writeFile(join(s.root, 'ingest', other), 'a part of something else');
  const wrong: BlobSource = async () => ({
    offset: 0,
    body: (async function* () {
      yield Buffer.alloc(content.byteLength);
    })(),
  });
  await assert.rejects(s.store.ingest(blob, wrong), { code: 'DIGEST_MISMATCH' });
  await assert.rejects(
    s.store.ingest(blob, () => Promise.reject(new Error('no'))),
    /no/,
  );
  await s.store.ingest(blob, recording().source);
  assert.deepEqual(await readdir(join(s.root, 'ingest')), [other]);
});

test('the blob of another process that was faster is taken', async () => {
  await using s = await subject();
  const faster = new FsContentStore(s.root, memoryFileLocker());
  // Two lockers do not see each other: the second store runs while the first has its lock and waits for its source.
  const { source, offsets } = recording();
  await s.store.put(Buffer.from('makes the directories'));
  const slow = s.store.ingest(blob, async (offset) => {
    await faster.put(content);
    return source(offset);
  });
  await slow;
  assert.deepEqual(offsets, [0]);
  assert.deepEqual(await readFile(join(s.root, 'blobs', 'sha256', hex)), content);
  assert.deepEqual(await readdir(join(s.root, 'ingest')), []);
});

test('two stores on one root download a blob once', async () => {
  await using directory = await temporaryDirectory();
  const locker = memoryFileLocker();
  const root = join(directory.path, 'content');
  const [a, b] = [new FsContentStore(root, locker), new FsContentStore(root, locker)];
  const { source, offsets } = recording();
  await Promise.all([a.ingest(blob, source), b.ingest(blob, source), a.ingest(blob, source)]);
  assert.deepEqual(offsets, [0]);
  assert.deepEqual(await readdir(join(root, 'ingest')), []);
});

test('sweep removes abandoned temporary files, not those in use and not partial downloads', async () => {
  await using s = await subject();
  await mkdir(join(s.root, 'ingest'), { recursive: true });
  await writeFile(join(s.root, 'ingest', 'put-1-dead'), 'abandoned');
  await writeFile(s.partial, content.subarray(0, 10));
  let during: string[] = [];
  const info = await s.store.putStream(
    (async function* () {
      yield content;
      await s.store.sweep();
      during = await readdir(join(s.root, 'ingest'));
    })(),
  );
  assert.equal(info.digest, digest);
  assert.equal(during.length, 2, 'the one in use and the partial download');
  assert.deepEqual(await readdir(join(s.root, 'ingest')), [`sha256-${hex}`]);
});

test('sweep removes partial downloads to which nothing was added for a week', async () => {
  await using s = await subject();
  await mkdir(join(s.root, 'ingest'), { recursive: true });
  const old = join(s.root, 'ingest', `sha256-${'0'.repeat(64)}`);
  for (const path of [s.partial, old]) await writeFile(path, 'part');
  const hour = 60 * 60;
  const week = 7 * 24 * hour;
  await utimes(s.partial, Date.now() / 1000, Date.now() / 1000 - week + hour);
  await utimes(old, Date.now() / 1000, Date.now() / 1000 - week - hour);
  await s.store.sweep();
  assert.deepEqual(await readdir(join(s.root, 'ingest')), [`sha256-${hex}`]);
});

test('foreign files among the blobs are no blobs', async () => {
  await using s = await subject();
  await s.store.put(content);
  await writeFile(join(s.root, 'blobs', 'sha256', 'README'), 'x');
  const found: string[] = [];
  for await (const each of s.store.list()) found.push(each.digest);
  assert.deepEqual(found, [digest]);
});

test('a failure of the file system names the call and the path', async () => {
  await using directory = await temporaryDirectory();
  await (await open(join(directory.path, 'content'), 'w')).close();
  const store = new FsContentStore(join(directory.path, 'content'), memoryFileLocker());
  await assert.rejects(store.put(content), (error) => {
    assert.ok(EngineError.is(error, 'SYSTEM_CALL_FAILED'), String(error));
    assert.deepEqual([error.data.syscall, error.data.errno], ['mkdir', 'ENOTDIR']);
    return true;
  });
});

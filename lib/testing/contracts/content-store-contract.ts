import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { BlobSource, ContentStore } from '../../content/content-store.js';
import type { Descriptor } from '../../core/descriptor.js';
import { type Digest, digestOf } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { readAll } from './read-all.js';

/** What the contract suite needs: an empty store. */
export interface ContentStoreSubject extends AsyncDisposable {
  readonly store: ContentStore;
}

const content = Buffer.from(Array.from({ length: 700_000 }, (_, at) => (at * 7919) >> 4));
const descriptorOf = (bytes: Uint8Array): Descriptor => ({
  mediaType: 'application/octet-stream',
  digest: digestOf(bytes),
  size: bytes.byteLength,
});
const blob = descriptorOf(content);

async function* chunked(bytes: Uint8Array, chunkBytes = 100_000): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.byteLength; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

const unreachable = (): EngineError => new EngineError('REGISTRY_UNREACHABLE', { registry: 'r', reason: 'cut' });

/** Gives `bytes` from the wanted offset on and writes down the offsets it was asked for. */
function sourceOf(bytes: Uint8Array): { source: BlobSource; offsets: number[] } {
  const offsets: number[] = [];
  return {
    offsets,
    source: async (offset) => {
      offsets.push(offset);
      return { offset, body: chunked(bytes.subarray(offset)) };
    },
  };
}

/** Gives at most `count` bytes for each call and fails then. */
function cutting(bytes: Uint8Array, count: number, failure: () => unknown): { source: BlobSource; offsets: number[] } {
  const offsets: number[] = [];
  const source: BlobSource = async (offset) => {
    offsets.push(offset);
    return {
      offset,
      body: (async function* () {
        yield bytes.subarray(offset, offset + count);
        if (offset + count < bytes.byteLength) throw failure();
      })(),
    };
  };
  return { source, offsets };
}

async function digests(store: ContentStore): Promise<Digest[]> {
  const found: Digest[] = [];
  for await (const { digest } of store.list()) found.push(digest);
  return found.sort();
}

/** The contract of {@link ContentStore}, run on one adapter. */
export function contentStoreContract(adapter: string, create: () => Promise<ContentStoreSubject>): void {
  const contract = (behaviour: string, run: (store: ContentStore) => Promise<void>): void => {
    test(`${adapter}: ${behaviour}`, async () => {
      await using subject = await create();
      await run(subject.store);
    });
  };

  contract('what was put can be read, listed, put again and removed twice', async (store) => {
    assert.deepEqual(await digests(store), []);
    assert.deepEqual(await store.put(content), { digest: blob.digest, size: blob.size });
    assert.deepEqual(await store.putStream(chunked(content)), { digest: blob.digest, size: blob.size });
    const empty = await store.put(new Uint8Array());
    assert.deepEqual(await digests(store), [blob.digest, empty.digest].sort());
    assert.deepEqual(await readAll(store.read(blob.digest)), content);
    assert.deepEqual(Buffer.from(await store.readBytes(blob.digest, blob.size)), content);
    assert.equal((await readAll(store.read(empty.digest))).byteLength, 0);
    assert.deepEqual(await store.stat(blob.digest), { digest: blob.digest, size: blob.size });
    await store.remove(blob.digest);
    await store.remove(blob.digest);
    assert.equal(await store.stat(blob.digest), undefined);
    assert.deepEqual(await digests(store), [empty.digest]);
  });

  contract('chunks that a reader keeps or changes are its own', async (store) => {
    await store.put(content);
    const chunks: Uint8Array[] = [];
    for await (const chunk of store.read(blob.digest)) chunks.push(chunk);
    assert.deepEqual(Buffer.concat(chunks), content);
    for (const chunk of chunks) chunk.fill(0);
    assert.deepEqual(await readAll(store.read(blob.digest)), content);
  });

  contract('a blob that is not there fails at the first read', async (store) => {
    const missing = (error: unknown): boolean =>
      EngineError.is(error, 'BLOB_NOT_FOUND') && error.data.digest === blob.digest;
    assert.equal(await store.stat(blob.digest), undefined);
    const reading = store.read(blob.digest);
    await assert.rejects(readAll(reading), missing);
    await assert.rejects(store.readBytes(blob.digest, 10), missing);
    await assert.rejects(store.file(blob.digest), missing);
  });

  contract('the file of a blob, where there are files, has its content', async (store) => {
    await store.put(content);
    const path = await store.file(blob.digest);
    if (path !== undefined) assert.deepEqual(await readFile(path), content);
  });

  contract('a blob that is larger than the reader takes is refused', async (store) => {
    await store.put(content);
    await assert.rejects(store.readBytes(blob.digest, blob.size - 1), { code: 'TOO_LARGE' });
  });

  contract('an ingested blob is complete, and is not asked for again', async (store) => {
    const { source, offsets } = sourceOf(content);
    const progress: number[] = [];
    await store.ingest(blob, source, { onProgress: (done) => progress.push(done) });
    assert.deepEqual(await readAll(store.read(blob.digest)), content);
    assert.equal(progress.at(-1), blob.size);
    assert.deepEqual(
      progress,
      [...progress].sort((a, b) => a - b),
    );
    progress.length = 0;
    await store.ingest(blob, source, { onProgress: (done) => progress.push(done) });
    assert.deepEqual(progress, [blob.size]);
    assert.deepEqual(offsets, [0]);
  });

  contract('sha512 digests and empty blobs are ingested', async (store) => {
    const digest = `sha512:${createHash('sha512').update(content).digest('hex')}` as Digest;
    await store.ingest({ ...blob, digest }, sourceOf(content).source);
    assert.deepEqual(await readAll(store.read(digest)), content);
    const empty = descriptorOf(new Uint8Array());
    await store.ingest(empty, sourceOf(new Uint8Array()).source);
    assert.deepEqual(await store.stat(empty.digest), { digest: empty.digest, size: 0 });
    assert.deepEqual(await digests(store), [digest, empty.digest].sort());
  });

  contract('wrong content is refused, is not visible and is thrown away', async (store) => {
    const wrong = Buffer.from(content);
    wrong.writeUInt8(wrong.readUInt8(5) ^ 1, 5);
    const attempts = [
      [wrong, 'DIGEST_MISMATCH'],
      [Buffer.concat([content, Buffer.from('x')]), 'SIZE_MISMATCH'],
      [content.subarray(0, -1), 'SIZE_MISMATCH'],
      [new Uint8Array(), 'SIZE_MISMATCH'],
    ] as const;
    for (const [bytes, code] of attempts) {
      await assert.rejects(store.ingest(blob, sourceOf(bytes).source), (error) => {
        assert.ok(EngineError.is(error, code), String(error));
        assert.ok(error.message.includes(blob.digest));
        return true;
      });
      assert.deepEqual(await digests(store), []);
    }
    const { source, offsets } = sourceOf(content);
    await store.ingest(blob, source);
    assert.deepEqual(offsets, [0], 'nothing of the wrong content was kept');
  });

  contract('a body that is too long is refused before it ends', async (store) => {
    let given = 0;
    const endless: BlobSource = async () => ({
      offset: 0,
      body: (async function* () {
        for (;;) {
          given += 100_000;
          yield new Uint8Array(100_000);
        }
      })(),
    });
    await assert.rejects(store.ingest(blob, endless), { code: 'SIZE_MISMATCH' });
    assert.ok(given <= blob.size + 200_000);
  });

  contract('a descriptor with another size than the blob has is refused', async (store) => {
    await store.put(content);
    const lying = { ...blob, size: blob.size - 1 };
    await assert.rejects(store.ingest(lying, sourceOf(content).source), { code: 'SIZE_MISMATCH' });
    assert.deepEqual(await readAll(store.read(blob.digest)), content);
  });

  contract('interruptions are continued where they happened while there is progress', async (store) => {
    const { source, offsets } = cutting(content, 300_000, unreachable);
    await store.ingest(blob, source);
    assert.deepEqual(offsets, [0, 300_000, 600_000]);
    assert.deepEqual(await readAll(store.read(blob.digest)), content);
  });

  contract('an interruption without progress is thrown, and what is here is kept', async (store) => {
    const stuck: BlobSource = async (offset) => {
      if (offset > 0) throw unreachable();
      return cutting(content, 300_000, unreachable).source(0);
    };
    await assert.rejects(store.ingest(blob, stuck), { code: 'REGISTRY_UNREACHABLE' });
    assert.equal(await store.stat(blob.digest), undefined);
    const { source, offsets } = sourceOf(content);
    await store.ingest(blob, source);
    assert.deepEqual(offsets, [300_000]);
    assert.deepEqual(await readAll(store.read(blob.digest)), content);
  });

  contract('any other failure of the source is thrown at once', async (store) => {
    const failure = new Error('denied');
    const { source, offsets } = cutting(content, 300_000, () => failure);
    await assert.rejects(store.ingest(blob, source), (error) => error === failure);
    assert.deepEqual(offsets, [0]);
  });

  contract('a source that starts before the wanted offset is understood', async (store) => {
    for (const start of [0, 123_456]) {
      const first = cutting(content, 300_000, () => new Error('stop'));
      await assert.rejects(store.ingest(blob, first.source), /stop/);
      const offsets: number[] = [];
      await store.ingest(blob, async (offset) => {
        offsets.push(offset);
        return { offset: start, body: chunked(content.subarray(start)) };
      });
      assert.deepEqual(offsets, [300_000]);
      assert.deepEqual(await readAll(store.read(blob.digest)), content);
      await store.remove(blob.digest);
    }
  });

  contract('the same digest is downloaded once at a time, and everybody sees the progress', async (store) => {
    const { source, offsets } = sourceOf(content);
    const ends: number[] = [];
    await Promise.all(
      Array.from({ length: 5 }, async (_, caller) => {
        let last = 0;
        const onProgress = (done: number): void => {
          last = done;
        };
        await store.ingest(blob, source, { onProgress });
        ends[caller] = last;
      }),
    );
    assert.deepEqual(offsets, [0]);
    assert.deepEqual(ends, Array(5).fill(blob.size));
  });

  contract('one who gives up does not stop the others', async (store) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let arrived: () => void = () => undefined;
    const midway = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const hanging: BlobSource = async () => ({
      offset: 0,
      body: (async function* () {
        yield content.subarray(0, 300_000);
        arrived();
        await new Promise(() => undefined);
      })(),
    });
    const leader = store.ingest(blob, hanging, { signal: controller.signal });
    const { source, offsets } = sourceOf(content);
    const impatient = new AbortController();
    const follower = store.ingest(blob, source);
    const leaving = store.ingest(blob, source, { signal: impatient.signal });
    await midway;
    impatient.abort(reason);
    await assert.rejects(leaving, (error) => error === reason);
    controller.abort(reason);
    await assert.rejects(leader, (error) => error === reason);
    await follower;
    assert.deepEqual(offsets, [300_000], 'the follower continued with its own source');
    assert.deepEqual(await readAll(store.read(blob.digest)), content);
  });

  contract('the failure of one source does not become the failure of another caller', async (store) => {
    const failure = new Error('denied');
    const bad = store.ingest(blob, () => Promise.reject(failure));
    const good = store.ingest(blob, sourceOf(content).source);
    await assert.rejects(bad, (error) => error === failure);
    await good;
    assert.deepEqual(await digests(store), [blob.digest]);
  });

  contract('an abort before the beginning, and one while a source hangs, reject with the reason', async (store) => {
    const reason = new Error('enough');
    const isReason = (error: unknown): boolean => error === reason;
    const aborted = { signal: AbortSignal.abort(reason) };
    const { source, offsets } = sourceOf(content);
    await assert.rejects(store.ingest(blob, source, aborted), isReason);
    await assert.rejects(store.putStream(chunked(content), aborted), isReason);
    await store.put(content);
    await assert.rejects(readAll(store.read(blob.digest, aborted)), isReason);
    await store.remove(blob.digest);
    const controller = new AbortController();
    const hanging = store.ingest(
      blob,
      () => {
        controller.abort(reason);
        return new Promise(() => undefined);
      },
      { signal: controller.signal },
    );
    await assert.rejects(hanging, isReason);
    assert.deepEqual(offsets, []);
    assert.deepEqual(await digests(store), []);
  });

  contract('a part of a blob can be read', async (store) => {
    await store.put(content);
    const part = await readAll(store.read(blob.digest, { offset: 300_001, length: 300_000 }));
    assert.deepEqual(part, content.subarray(300_001, 600_001));
    assert.deepEqual(await readAll(store.read(blob.digest, { offset: blob.size - 5 })), content.subarray(-5));
    assert.deepEqual(await readAll(store.read(blob.digest, { offset: blob.size })), Buffer.alloc(0));
    assert.deepEqual(await readAll(store.read(blob.digest, { length: 0 })), Buffer.alloc(0));
  });

  contract('what is written bit by bit is there when it is committed, and not before', async (store) => {
    const sha512 = `sha512:${createHash('sha512').update(content).digest('hex')}` as Digest;
    for (const digest of [blob.digest, sha512]) {
      await using writer = await store.write();
      for await (const chunk of chunked(content)) await writer.append(chunk);
      assert.equal(writer.size, blob.size);
      assert.equal(await store.stat(digest), undefined);
      assert.deepEqual(await writer.commit(digest), { digest, size: blob.size });
      assert.deepEqual(await readAll(store.read(digest)), content);
    }
    await using again = await store.write();
    await again.append(content);
    await again.commit(blob.digest);
    assert.deepEqual(await readAll(store.read(blob.digest)), content);
  });

  contract('what is written and not committed, or is something else than was said, is thrown away', async (store) => {
    const writer = await store.write();
    await writer.append(content.subarray(1));
    await assert.rejects(writer.commit(blob.digest), { code: 'DIGEST_MISMATCH' });
    await writer.close();
    await writer.close();
    assert.deepEqual(await digests(store), []);
  });

  contract('partial downloads are counted, and removed when nobody adds to them', async (store) => {
    assert.equal(await store.partialBytes(), 0);
    const half = cutting(content, 300_000, () => new Error('cut'));
    await assert.rejects(store.ingest(blob, half.source), /cut/);
    assert.equal(await store.partialBytes(), 300_000);
    assert.equal(await store.removePartials(60_000), 0);
    const during: number[] = [];
    await store.ingest(blob, async (offset) => {
      during.push(offset, await store.removePartials(0));
      return sourceOf(content).source(offset);
    });
    assert.deepEqual(during, [300_000, 0], 'what is under way stays');
    await store.remove(blob.digest);
    await assert.rejects(store.ingest(blob, half.source), /cut/);
    assert.equal(await store.removePartials(0), 300_000);
    assert.equal(await store.partialBytes(), 0);
    const { source, offsets } = sourceOf(content);
    await store.ingest(blob, source);
    assert.deepEqual(offsets, [0]);
    assert.equal(await store.removePartials(0), 0);
    assert.deepEqual(await readAll(store.read(blob.digest)), content);
  });

  contract('a stream that fails leaves nothing', async (store) => {
    const failure = new Error('broken');
    const failing = (async function* () {
      yield content;
      throw failure;
    })();
    await assert.rejects(store.putStream(failing), (error) => error === failure);
    assert.deepEqual(await digests(store), []);
  });
}

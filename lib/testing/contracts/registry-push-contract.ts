import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { Descriptor } from '../../core/descriptor.js';
import { digestOf } from '../../core/digest.js';
import { mediaTypes } from '../../core/media-types.js';
import type { Reference } from '../../core/reference.js';
import { readAll } from './read-all.js';
import { inPieces, pushBytes, pushDocument, pushImage, type RegistryContractLab } from './registry-under-test.js';

const layerOf = (bytes: Uint8Array): Descriptor => ({
  mediaType: mediaTypes.ociLayer,
  digest: digestOf(bytes),
  size: bytes.byteLength,
});

/** The part of the contract that is about pushing, and reading what was pushed. */
export function registryPushContract(lab: RegistryContractLab): void {
  const { subject, fresh } = lab;

  test('what was pushed comes back by tag and by digest, byte for byte', async () => {
    const reference = fresh();
    const { client } = subject();
    const bytes = randomBytes(400_000);
    const content = { os: 'none', architecture: 'none', rootfs: { diff_ids: [digestOf(bytes)] } };
    const config = await pushBytes(lab, reference, Buffer.from(JSON.stringify(content)), mediaTypes.ociConfig);
    const layer = await pushBytes(lab, reference, bytes);
    const document = { mediaType: mediaTypes.ociManifest, config, layers: [layer] };
    const pushed = await pushDocument(lab, reference, document);
    const { registry, repository } = reference;
    for (const named of [reference, { registry, repository, digest: pushed.digest }]) {
      const { descriptor, bytes: read } = await client.fetchManifest(named);
      assert.deepEqual(descriptor, pushed);
      assert.equal(Buffer.from(read).toString(), JSON.stringify({ schemaVersion: 2, ...document }));
      assert.deepEqual(await client.resolveManifest(named), pushed);
    }
    const { offset, body } = await client.fetchBlob(reference, layer, 0);
    assert.equal(offset, 0);
    assert.deepEqual(await readAll(body), bytes);
    assert.equal(await client.hasBlob(reference, layer.digest), true);
  });

  test('what was not pushed is not there', async () => {
    const reference = fresh();
    const { client } = subject();
    assert.equal(await client.resolveManifest(reference), undefined);
    assert.equal(await client.hasBlob(reference, digestOf('nothing')), false);
    await assert.rejects(client.fetchManifest(reference), { code: 'IMAGE_NOT_FOUND' });
    const blob = client.fetchBlob(reference, layerOf(Buffer.from('nothing')), 0);
    await assert.rejects(blob, { code: 'IMAGE_NOT_FOUND' });
  });

  test('an index is stored with what it lists, and a tag can be moved to it', async () => {
    const reference = fresh();
    const { registry, repository } = reference;
    const image = await pushImage(lab, { registry, repository });
    await pushImage(lab, reference);
    const platform = { os: 'linux', architecture: 'riscv64' };
    const index = await pushDocument(lab, reference, {
      mediaType: mediaTypes.ociIndex,
      manifests: [{ ...image, platform }],
    } as { mediaType: string });
    assert.deepEqual((await subject().client.fetchManifest(reference)).descriptor, index);
  });

  test('a blob that is there is not read again', async () => {
    const reference = fresh();
    const bytes = randomBytes(1000);
    await pushBytes(lab, reference, bytes);
    const again = await subject().client.pushBlob(reference, layerOf(bytes), () => assert.fail('it was read'));
    assert.deepEqual(again, { how: 'existed' });
  });

  test('a blob of another repository is mounted, and uploaded when it is not there', async () => {
    const { client } = subject();
    const [from, to, other] = [fresh(), fresh(), fresh()];
    const bytes = randomBytes(200_000);
    const blob = await pushBytes(lab, from, bytes);
    const mountFrom = [other.repository, from.repository];
    const mounted = await client.pushBlob(to, blob, () => assert.fail('it was read'), { mountFrom });
    assert.deepEqual(mounted, { how: 'mounted', from: from.repository });
    assert.deepEqual(await readAll((await client.fetchBlob(to, blob, 0)).body), bytes);
    const fresher = randomBytes(2000);
    const open = (offset: number) => inPieces(fresher.subarray(offset));
    assert.deepEqual(await client.pushBlob(to, layerOf(fresher), open, { mountFrom }), { how: 'uploaded' });
  });

  test('empty and large blobs arrive, and progress ends with their size', async () => {
    const reference = fresh();
    const { client } = subject();
    for (const bytes of [Buffer.alloc(0), randomBytes(5_000_000)]) {
      const progress: number[] = [0];
      const open = (offset: number) => inPieces(bytes.subarray(offset));
      const onProgress = (done: number): void => void progress.push(done);
      assert.deepEqual(await client.pushBlob(reference, layerOf(bytes), open, { onProgress }), { how: 'uploaded' });
      assert.equal(progress.at(-1), bytes.byteLength);
      const { body } = await client.fetchBlob(reference, layerOf(bytes), 0);
      assert.equal(digestOf(await readAll(body)), digestOf(bytes));
    }
  });

  test('other bytes than those of the digest are refused and not stored', async () => {
    const reference = fresh();
    const { client } = subject();
    const bytes = randomBytes(100_000);
    const wrong = Buffer.from(bytes).fill(1, 5, 9);
    const pushing = client.pushBlob(reference, layerOf(bytes), (offset) => inPieces(wrong.subarray(offset)));
    await assert.rejects(pushing, { code: 'DIGEST_MISMATCH' });
    assert.equal(await client.hasBlob(reference, digestOf(bytes)), false);
    const manifest = { descriptor: { ...layerOf(bytes), mediaType: mediaTypes.ociManifest }, bytes: wrong };
    await assert.rejects(client.pushManifest(reference, manifest), { code: 'DIGEST_MISMATCH' });
  });

  test('a source that fails or ends early is told as what it is, and nothing is stored', async () => {
    const reference: Reference = fresh();
    const { client } = subject();
    const bytes = randomBytes(300_000);
    const failure = new Error('the disk is broken');
    const failing = async function* (): AsyncGenerator<Uint8Array, void, void> {
      yield bytes.subarray(0, 150_000);
      throw failure;
    };
    await assert.rejects(client.pushBlob(reference, layerOf(bytes), failing), (error) => error === failure);
    const short = client.pushBlob(reference, layerOf(bytes), () => inPieces(bytes.subarray(0, 200_000)));
    await assert.rejects(short, { code: 'SIZE_MISMATCH' });
    assert.equal(await client.hasBlob(reference, digestOf(bytes)), false);
    await pushBytes(lab, reference, bytes);
  });

  test('an abort ends a push with the reason, before it and while it sends', async () => {
    const reference = fresh();
    const { client } = subject();
    const bytes = randomBytes(3_000_000);
    const reason = new Error('enough');
    const isReason = (error: unknown): boolean => error === reason;
    const open = (offset: number) => inPieces(bytes.subarray(offset));
    const aborted = client.pushBlob(reference, layerOf(bytes), open, { signal: AbortSignal.abort(reason) });
    await assert.rejects(aborted, isReason);
    const controller = new AbortController();
    const onProgress = (): void => controller.abort(reason);
    const cut = client.pushBlob(reference, layerOf(bytes), open, { signal: controller.signal, onProgress });
    await assert.rejects(cut, isReason);
    assert.equal(await client.hasBlob(reference, digestOf(bytes)), false);
  });
}

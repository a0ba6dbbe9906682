import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { digestOf } from '../../core/digest.js';
import { pushBytes, pushImage, type RegistryContractLab } from './registry-under-test.js';

/** The part of the contract that is about removing. */
export function registryDeletionContract(lab: RegistryContractLab): void {
  const { subject, fresh } = lab;

  test('a deleted manifest is gone with its tags', async () => {
    const reference = fresh();
    const { client } = subject();
    const { digest } = await pushImage(lab, reference);
    const { registry, repository } = reference;
    await client.deleteManifest({ registry, repository, digest });
    assert.equal(await client.resolveManifest({ registry, repository, digest }), undefined);
    assert.equal(await client.resolveManifest(reference), undefined);
    await assert.rejects(client.deleteManifest({ registry, repository, digest }), { code: 'IMAGE_NOT_FOUND' });
  });

  test('a deleted blob is gone from its repository only', async () => {
    const { client } = subject();
    const [here, there] = [fresh(), fresh()];
    const bytes = randomBytes(1000);
    const blob = await pushBytes(lab, here, bytes);
    await client.pushBlob(there, blob, () => assert.fail('it was read'), { mountFrom: [here.repository] });
    await client.deleteBlob(here, blob.digest);
    assert.equal(await client.hasBlob(here, blob.digest), false);
    assert.equal(await client.hasBlob(there, blob.digest), true);
    await assert.rejects(client.deleteBlob(here, blob.digest), { code: 'IMAGE_NOT_FOUND' });
    await assert.rejects(client.deleteBlob(here, digestOf('nothing')), { code: 'IMAGE_NOT_FOUND' });
  });

  test('a deleted tag leaves the manifest and its other tags, where tags can be deleted', async () => {
    const reference = fresh();
    const { client, deletesTags } = subject();
    const manifest = await pushImage(lab, reference);
    const { bytes } = await client.fetchManifest(reference);
    await client.pushManifest({ ...reference, tag: 'other' }, { descriptor: manifest, bytes });
    if (!deletesTags) {
      await assert.rejects(client.deleteManifest(reference), { code: 'REGISTRY_UNSUPPORTED' });
      return;
    }
    await client.deleteManifest(reference);
    assert.equal(await client.resolveManifest(reference), undefined);
    assert.deepEqual(await client.resolveManifest({ ...reference, tag: 'other' }), manifest);
    await assert.rejects(client.deleteManifest(reference), { code: 'IMAGE_NOT_FOUND' });
  });
}

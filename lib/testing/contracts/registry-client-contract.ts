import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { mediaTypes } from '../../core/media-types.js';
import type { Reference } from '../../core/reference.js';
import { readAll } from './read-all.js';
import { registryDeletionContract } from './registry-deletion-contract.js';
import { registryPushContract } from './registry-push-contract.js';
import {
  pushBytes,
  pushDocument,
  pushImage,
  type RegistryContractLab,
  type RegistryUnderTest,
} from './registry-under-test.js';

/** What every registry client does. */
export function registryClientContract(name: string, open: () => Promise<RegistryUnderTest>): void {
  describe(`registry client on ${name}`, () => {
    let opened: RegistryUnderTest | undefined;
    let count = 0;
    before(async () => {
      opened = await open();
    });
    after(() => opened?.[Symbol.asyncDispose]());
    const subject = (): RegistryUnderTest => {
      assert.ok(opened !== undefined);
      return opened;
    };
    const fresh = (): Reference => {
      count += 1;
      return { registry: subject().host, repository: `contract/r${count}`, tag: '1' };
    };
    const lab: RegistryContractLab = { subject, fresh };
    registryPushContract(lab);
    browsingContract(lab);
    registryDeletionContract(lab);
    loginContract(lab);
  });
}

function browsingContract(lab: RegistryContractLab): void {
  const { subject, fresh } = lab;

  test('every tag is listed once, and an unknown repository has none', async () => {
    const reference = fresh();
    for (const tag of ['2', '1', 'latest', '10']) await pushImage(lab, { ...reference, tag });
    assert.deepEqual((await namesIn(subject().client.listTags(reference))).sort(), ['1', '10', '2', 'latest']);
    await assert.rejects(namesIn(subject().client.listTags(fresh())), { code: 'IMAGE_NOT_FOUND' });
  });

  test('repositories are listed, and found by a part of their name', async () => {
    const reference = fresh();
    await pushImage(lab, reference);
    const { client, host } = subject();
    assert.ok((await namesIn(client.listRepositories(host))).includes(reference.repository));
    const found = await client.search(host, reference.repository.slice('contract/'.length), { limit: 100 });
    assert.ok(found.some(({ name }) => name === `${host}/${reference.repository}`));
    assert.deepEqual(await client.search(host, 'nothing-of-that-name', { limit: 100 }), []);
    assert.equal((await client.search(host, 'contract', { limit: 1 })).length, 1);
  });

  test('referrers of a manifest are listed with their type and annotations', async () => {
    const reference = fresh();
    const { client } = subject();
    const image = await pushImage(lab, reference);
    assert.deepEqual(await client.listReferrers(reference, image.digest), []);
    const empty = await pushBytes(lab, reference, Buffer.from('{}'), 'application/vnd.oci.empty.v1+json');
    const sign = (artifactType: string, note: string) =>
      pushDocument(lab, untagged(reference), {
        mediaType: mediaTypes.ociManifest,
        artifactType,
        config: empty,
        layers: [empty],
        subject: image,
        annotations: { note },
      } as { mediaType: string });
    const signature = await sign('test/signature', 'signed');
    const bill = await sign('test/bill', 'listed');
    await sign('test/bill', 'listed');
    const listed = await client.listReferrers(reference, image.digest);
    assert.deepEqual(
      [...listed].sort((a, b) => (a.digest < b.digest ? -1 : 1)),
      [
        { ...signature, artifactType: 'test/signature', annotations: { note: 'signed' } },
        { ...bill, artifactType: 'test/bill', annotations: { note: 'listed' } },
      ].sort((a, b) => (a.digest < b.digest ? -1 : 1)),
    );
    const bills = await client.listReferrers(reference, image.digest, { artifactType: 'test/bill' });
    assert.deepEqual(
      bills.map(({ digest }) => digest),
      [bill.digest],
    );
    await client.deleteManifest({ ...untagged(reference), digest: bill.digest });
    assert.deepEqual(await client.listReferrers(reference, image.digest, { artifactType: 'test/bill' }), []);
  });

  test('a blob can be read from its middle on', async () => {
    const reference = fresh();
    const bytes = randomBytes(300_000);
    const descriptor = await pushBytes(lab, reference, bytes);
    const { offset, body } = await subject().client.fetchBlob(reference, descriptor, 123_456);
    assert.deepEqual(await readAll(body), bytes.subarray(offset));
  });
}

function loginContract({ subject }: RegistryContractLab): void {
  test('the right password is accepted, and a wrong one where passwords matter is not', async () => {
    const { client, host, user } = subject();
    const { username, password } = user ?? { username: 'anybody', password: 'anything' };
    const proved = await client.authenticate(host, { kind: 'basic', username, password });
    assert.ok(proved.kind === 'identity-token' || proved.password === password);
    client.forget(host);
    if (user === undefined) return;
    const wrong = client.authenticate(host, { kind: 'basic', username, password: `${password}!` });
    await assert.rejects(wrong, { code: 'REGISTRY_DENIED' });
  });
}

const untagged = ({ registry, repository }: Reference): Reference => ({ registry, repository });

async function namesIn(names: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const name of names) all.push(name);
  return all;
}

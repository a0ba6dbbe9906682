import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '#lib/core/digest.js';
import { mediaTypes } from '#lib/core/media-types.js';
import { reply, replyError, type Step } from '../../../helpers/fake-registry.js';
import { type ClientFixture, clientFixture } from '../../../helpers/registry-client-fixture.js';
import { rejection } from '../../../helpers/rejection.js';

const tagsPath = '/v2/app/tags/list';
const json = (content: unknown, headers: Record<string, string> = {}): Step =>
  reply(200, headers, JSON.stringify(content));
const next = (target: string) => ({ link: `<${target}>; rel="next"` });

async function tagsOf(f: ClientFixture): Promise<string[]> {
  const all: string[] = [];
  for await (const tag of f.client.listTags(f.reference)) all.push(tag);
  return all;
}

test('a list goes on where its Link header says, relative or absolute', async () => {
  await using f = await clientFixture();
  f.registry.script(tagsPath, json({ tags: ['a', 'b'] }, next('/v2/app/more?x=1')));
  f.registry.script('/v2/app/more', json({ tags: ['c'] }, next(`${f.registry.origin}/v2/app/last`)));
  f.registry.script('/v2/app/last', json({ tags: null }));
  assert.deepEqual(await tagsOf(f), ['a', 'b', 'c']);
});

test('a registry without Link headers is asked for what comes after the last name', async () => {
  await using f = await clientFixture();
  const all = Array.from({ length: 2300 }, (_, at) => `t${String(at).padStart(5, '0')}`);
  f.registry.script(tagsPath, (request, response) => {
    const query = new URL(request.path, f.registry.origin).searchParams;
    const after = all.filter((tag) => tag > (query.get('last') ?? ''));
    json({ tags: after.slice(0, Number(query.get('n'))) })(request, response);
  });
  assert.deepEqual(await tagsOf(f), all);
  assert.equal(f.registry.seen.length, 3);
});

test('one that ignores what it is asked for gives every name once', async () => {
  await using f = await clientFixture();
  const all = Array.from({ length: 1500 }, (_, at) => `t${String(at).padStart(5, '0')}`);
  f.registry.script(tagsPath, json({ tags: all }));
  assert.deepEqual(await tagsOf(f), all);
});

test('lists that have no end, lead elsewhere or are none are refused', async () => {
  await using f = await clientFixture();
  const broken: readonly [Step, RegExp][] = [
    [json({ tags: ['a'] }, next(`${tagsPath}?n=1000`)), /have no end/],
    [json({ tags: ['a'] }, next('http://127.0.0.1:1/v2/app/tags/list')), /go on at another host/],
    [json({ tags: ['../../etc'] }), /"\.\.\/\.\.\/etc" is among its tags/],
    [json({ tags: [7] }), /expected a string/],
    [json([]), /expected an object/],
    [reply(200, {}, '<html>'), /expected JSON/],
    [json({ tags: Array(300_000).fill('a') }), /more than \d+ values/],
  ];
  for (const [step, reason] of broken) {
    f.registry.script(tagsPath, step);
    assert.match((await rejection(tagsOf(f), 'REGISTRY_PROTOCOL')).data.reason, reason);
  }
});

test('a registry without a catalog says that it has none', async () => {
  await using f = await clientFixture();
  f.registry.script('/v2/_catalog', replyError(404, 'UNSUPPORTED', 'no catalog here'));
  const search = f.client.search(f.registry.host, 'x', { limit: 5 });
  assert.match((await rejection(search, 'REGISTRY_UNSUPPORTED')).data.reason, /no catalog here/);
});

test('Docker Hub is searched by its own service', async () => {
  await using f = await clientFixture({ hubSearchUrl: new URL('http://127.0.0.1:1') });
  const results = [
    { name: 'nginx', description: 'Official build', star_count: 20_000, is_official: true, is_automated: false },
    { name: 'bitnami/nginx' },
    { name: 'three', star_count: 3 },
  ];
  f.registry.script('/v1/search', json({ num_results: 3, results }));
  await using hub = await clientFixture({ hubSearchUrl: new URL(`${f.registry.origin}/v1/search`) });
  assert.deepEqual(await hub.client.search('docker.io', 'ng inx', { limit: 2 }), [
    { name: 'nginx', description: 'Official build', stars: 20_000, official: true },
    { name: 'bitnami/nginx', description: '', stars: 0, official: false },
  ]);
  assert.equal(f.registry.seen[0]?.path, '/v1/search?q=ng+inx&n=2');
});

test('referrers are collected over pages, and from the tag where a registry does not list them', async () => {
  await using f = await clientFixture();
  const subject = digestOf('subject');
  const entry = (name: string, artifactType: string) => ({
    mediaType: mediaTypes.ociManifest,
    digest: digestOf(name),
    size: 7,
    artifactType,
  });
  const index = (...manifests: object[]) => ({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
  const type = { 'content-type': mediaTypes.ociIndex };
  const path = `/v2/app/referrers/${subject}`;
  f.registry.script(path, json(index(entry('a', 'x/a')), { ...type, ...next('/v2/app/more') }));
  f.registry.script('/v2/app/more', json(index(entry('b', 'x/b')), type));
  const listed = await f.client.listReferrers(f.reference, subject);
  assert.deepEqual(listed, [entry('a', 'x/a'), entry('b', 'x/b')]);
  // The registry has applied no filter, so the client does.
  const filtered = await f.client.listReferrers(f.reference, subject, { artifactType: 'x/b' });
  assert.deepEqual(filtered, [entry('b', 'x/b')]);

  f.registry.script(path, replyError(404, 'UNSUPPORTED', 'no'));
  assert.deepEqual(await f.client.listReferrers(f.reference, subject), []);
  f.registry.script(`/v2/app/manifests/${subject.replace(':', '-')}`, json(index(entry('c', 'x/c')), type));
  assert.deepEqual(await f.client.listReferrers(f.reference, subject), [entry('c', 'x/c')]);
});

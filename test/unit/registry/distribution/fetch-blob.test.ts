import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { cutAfter, reply, replyBlob, replyError } from '../../../helpers/fake-registry.js';
import { readAll } from '../../../helpers/read-all.js';
import { clientFixture } from '../../../helpers/registry-client-fixture.js';

const offset = 70_000;

test('a blob is streamed as it came, whole or from an offset', async () => {
  await using f = await clientFixture();
  f.registry.script(f.blobPath, replyBlob(f.blob));
  const whole = await f.client.fetchBlob(f.reference, f.blobDescriptor, 0);
  assert.equal(whole.offset, 0);
  assert.deepEqual(await readAll(whole.body), f.blob);
  const part = await f.client.fetchBlob(f.reference, f.blobDescriptor, offset);
  assert.equal(part.offset, offset);
  assert.deepEqual(await readAll(part.body), f.blob.subarray(offset));
  assert.deepEqual(
    f.registry.seen.map(({ headers }) => headers.range),
    [undefined, `bytes=${offset}-`],
  );
});

test('a gzip content encoding is left alone: the digest is of the bytes on the wire', async () => {
  await using f = await clientFixture();
  f.registry.script(f.blobPath, reply(200, { 'content-encoding': 'gzip' }, f.blob));
  const { body } = await f.client.fetchBlob(f.reference, f.blobDescriptor, 0);
  assert.deepEqual(await readAll(body), f.blob);
});

test('an offset at or behind the end asks for the whole', async () => {
  await using f = await clientFixture();
  f.registry.script(f.blobPath, replyBlob(f.blob));
  const { offset: from, body } = await f.client.fetchBlob(f.reference, f.blobDescriptor, f.blob.byteLength);
  assert.equal(from, 0);
  assert.equal((await readAll(body)).byteLength, f.blob.byteLength);
});

test('a registry without ranges answers from the beginning', async () => {
  await using f = await clientFixture();
  f.registry.script(f.blobPath, reply(200, {}, f.blob));
  assert.equal((await f.client.fetchBlob(f.reference, f.blobDescriptor, offset)).offset, 0);
});

test('a partial answer counts only with the range that was asked for; else the whole is fetched', async () => {
  await using f = await clientFixture();
  const size = f.blob.byteLength;
  const strange = [
    reply(206, {}, f.blob),
    reply(206, { 'content-range': `bytes 0-${size - 1}/${size}` }, f.blob),
    reply(206, { 'content-range': `bytes ${offset}-${size - 1}/${size + 1}` }, f.blob.subarray(offset)),
    reply(206, { 'content-range': `bytes ${offset}-${size}/*` }, f.blob.subarray(offset)),
    reply(206, { 'content-range': 'garbage' }, f.blob),
    replyError(416, 'RANGE', 'no'),
  ];
  for (const step of strange) {
    f.registry.script(f.blobPath, step, reply(200, {}, f.blob));
    const { offset: from, body } = await f.client.fetchBlob(f.reference, f.blobDescriptor, offset);
    assert.equal(from, 0);
    assert.deepEqual(await readAll(body), f.blob);
  }
  f.registry.script(f.blobPath, reply(206, { 'content-range': `bytes 5-9/${size}` }, 'xxxxx'));
  await assert.rejects(f.client.fetchBlob(f.reference, f.blobDescriptor, 0), { code: 'REGISTRY_PROTOCOL' });
});

test('a connection that is cut is an error and never a short success', async () => {
  await using f = await clientFixture();
  for (const framing of ['length', 'chunked', 'close'] as const) {
    f.registry.script(f.blobPath, cutAfter(f.blob, 50_000, framing));
    const { body } = await f.client.fetchBlob(f.reference, f.blobDescriptor, 0);
    let seen = 0;
    const reading = (async () => {
      for await (const chunk of body) seen += chunk.byteLength;
    })();
    await assert.rejects(reading, (error) => EngineError.is(error, 'REGISTRY_UNREACHABLE'), framing);
    assert.ok(seen <= 50_000);
  }
});

test('a partial answer that is shorter than the rest of the blob asks for more', async () => {
  await using f = await clientFixture();
  const range = { 'content-range': `bytes ${offset}-${offset + 9}/${f.blob.byteLength}` };
  f.registry.script(f.blobPath, reply(206, range, f.blob.subarray(offset, offset + 10)));
  const { body } = await f.client.fetchBlob(f.reference, f.blobDescriptor, offset);
  await assert.rejects(readAll(body), { code: 'REGISTRY_UNREACHABLE' });
});

test('a blob that is not there names the blob', async () => {
  await using f = await clientFixture();
  await assert.rejects(f.client.fetchBlob(f.reference, f.blobDescriptor, 0), (error) => {
    assert.ok(EngineError.is(error, 'IMAGE_NOT_FOUND'));
    return error.data.reference.includes(f.blobDescriptor.digest);
  });
});

test('leaving a body early closes its connection', async () => {
  await using f = await clientFixture();
  let closed: () => void = () => undefined;
  const connectionClosed = new Promise<void>((resolve) => {
    closed = resolve;
  });
  f.registry.script(f.blobPath, (_request, response) => {
    response.once('close', closed);
    response.writeHead(200, { 'content-length': String(f.blob.byteLength) });
    response.write(f.blob.subarray(0, 100));
  });
  const { body } = await f.client.fetchBlob(f.reference, f.blobDescriptor, 0);
  for await (const _ of body) break;
  await connectionClosed;
});

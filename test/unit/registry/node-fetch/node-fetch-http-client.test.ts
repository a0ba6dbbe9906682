import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { HttpRequest, HttpResponse } from '#lib/registry/http-client.js';
import { NodeFetchHttpClient } from '#lib/registry/node-fetch/node-fetch-http-client.js';
import { cutAfter, hangUp, reply, stallAfter, startFakeRegistry } from '../../../helpers/fake-registry.js';
import { readAll } from '../../../helpers/read-all.js';

const get = (url: string, extra: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  url: new URL(url),
  headers: {},
  ...extra,
});

test('redirects, encodings and errors are passed through as they came', async () => {
  await using server = await startFakeRegistry();
  const client = new NodeFetchHttpClient({ userAgent: 'tester' });
  server.script('/r', reply(302, { location: '/elsewhere', 'X-Mixed': 'Case' }, 'moved'));
  const redirect = await client.request(get(`${server.origin}/r`));
  assert.equal(redirect.status, 302);
  assert.equal(redirect.headers.get('location'), '/elsewhere');
  assert.equal(redirect.headers.get('x-mixed'), 'Case');
  assert.equal((await readAll(redirect.body)).toString(), 'moved');
  server.script('/z', reply(500, { 'content-encoding': 'gzip' }, 'not gzip at all'));
  const encoded = await client.request(get(`${server.origin}/z`));
  assert.equal((await readAll(encoded.body)).toString(), 'not gzip at all');
  assert.equal(server.seen[0]?.headers['user-agent'], 'tester');
  client.close();
});

test('bodies are sent from memory and from streams', async () => {
  await using server = await startFakeRegistry();
  const client = new NodeFetchHttpClient();
  server.script('/p', reply(201));
  const send = async (body: NonNullable<HttpRequest['body']>): Promise<string | undefined> => {
    const response = await client.request(get(`${server.origin}/p`, { method: 'POST', body }));
    await readAll(response.body);
    return server.seen.at(-1)?.body;
  };
  assert.equal(await send(Buffer.from('xxabcxx').subarray(2, 5)), 'abc');
  assert.equal(
    await send(
      (async function* () {
        yield Buffer.from('stre');
        yield Buffer.from('am');
      })(),
    ),
    'stream',
  );
  client.close();
});

test('network failures carry the code of the system and never the query of the URL', async () => {
  await using server = await startFakeRegistry();
  const client = new NodeFetchHttpClient();
  const closed = createServer();
  closed.listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  const codeOf = async (attempt: Promise<unknown>): Promise<unknown> => {
    const error = await attempt.then(
      () => assert.fail('it must fail'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof Error && 'code' in error);
    assert.ok(!`${error.message}${error.stack}`.includes('secret'));
    return error.code;
  };
  assert.equal(await codeOf(client.request(get(`http://127.0.0.1:${port}/?sig=secret`))), 'ECONNREFUSED');
  server.script('/h', hangUp);
  assert.equal(await codeOf(client.request(get(`${server.origin}/h?sig=secret`))), 'ECONNRESET');
  for (const framing of ['length', 'chunked'] as const) {
    server.script('/c', cutAfter(Buffer.alloc(1000), 10, framing));
    const response = await client.request(get(`${server.origin}/c?sig=secret`));
    assert.match(String(await codeOf(readAll(response.body))), /^(ECONNRESET|ERR_STREAM_PREMATURE_CLOSE)$/);
  }
  client.close();
});

test('an abort rejects with its own reason, before, during and after the headers', async () => {
  await using server = await startFakeRegistry();
  const client = new NodeFetchHttpClient();
  const reason = { my: 'reason' };
  const isReason = (error: unknown): boolean => error === reason;
  await assert.rejects(client.request(get(server.origin, { signal: AbortSignal.abort(reason) })), isReason);
  assert.equal(server.seen.length, 0);

  const during = new AbortController();
  server.script('/silent', () => during.abort(reason));
  await assert.rejects(client.request(get(`${server.origin}/silent`, { signal: during.signal })), isReason);

  const after = new AbortController();
  server.script('/s', stallAfter(Buffer.from('beginning')));
  const response = await client.request(get(`${server.origin}/s`, { signal: after.signal }));
  const body = response.body[Symbol.asyncIterator]();
  assert.equal(Buffer.from((await body.next()).value).toString(), 'beginning');
  after.abort(reason);
  await assert.rejects(body.next(), isReason);
  client.close();
});

test('an answer that is read or discarded gives its connection back; close() ends idle ones', async () => {
  await using server = await startFakeRegistry();
  const client = new NodeFetchHttpClient();
  const ports = new Set<number | undefined>();
  let lastClosed: Promise<unknown> = Promise.resolve();
  server.script('/a', (_request, response) => {
    ports.add(response.socket?.remotePort);
    if (response.socket !== null) lastClosed = once(response.socket, 'close');
    response.end('small');
  });
  const ask = (): Promise<HttpResponse> => client.request(get(`${server.origin}/a`));
  await readAll((await ask()).body);
  await nextTurn();
  (await ask()).discard();
  await nextTurn();
  await readAll((await ask()).body);
  await nextTurn();
  assert.equal(ports.size, 1);
  client.close();
  await lastClosed;
  await readAll((await ask()).body);
  assert.equal(ports.size, 2, 'it can be used again');
  client.close();
});

test('discarding an answer that does not end closes its connection', async () => {
  await using server = await startFakeRegistry();
  const client = new NodeFetchHttpClient();
  const closed = new Promise<void>((resolve) => {
    server.script('/endless', (_request, response) => {
      response.once('close', resolve);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384)));
        response.once('drain', more);
      };
      more();
    });
  });
  (await client.request(get(`${server.origin}/endless`))).discard();
  await closed;
  client.close();
});

/** An idle connection gets back to the pool after the last byte was handed over. */
async function nextTurn(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

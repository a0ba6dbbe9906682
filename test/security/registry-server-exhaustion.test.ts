// Clients that want to use up the memory, the files or the patience of the embedded registry.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { serveRegistry } from 'tscontainer';
import { digestOf } from '#lib/core/digest.js';
import { eventually } from '../helpers/eventually.js';
import { rawRequest, uploadBlob } from '../helpers/raw-request.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const mebibyte = 1024 * 1024;

async function open(options: { readonly uploadExpiryMs?: number } = {}) {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'registry');
  const server = await serveRegistry({ directory: path, ...options });
  return {
    host: server.host,
    server,
    /** Unfinished uploads on the disk. */
    unfinished: async () => (await readdir(join(path, 'content/ingest')).catch(() => [])).length,
    async [Symbol.asyncDispose]() {
      await server.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

test('a manifest that is too large is refused before it is read, announced or not', async () => {
  await using lab = await open();
  const memory = process.memoryUsage.rss();
  const huge = Buffer.alloc(5 * mebibyte, ' ');
  for (const headers of [{ 'content-length': huge.byteLength }, { 'transfer-encoding': 'chunked' }]) {
    const answer = await rawRequest(lab.host, 'PUT', '/v2/app/manifests/1', headers, huge).catch(
      (error: NodeJS.ErrnoException) => error.code,
    );
    // A client that goes on sending may see its connection end before the answer.
    const refused = typeof answer === 'object' ? answer.status === 413 : ['EPIPE', 'ECONNRESET'].includes(answer ?? '');
    assert.ok(refused, JSON.stringify(answer));
  }
  assert.ok(process.memoryUsage.rss() - memory < 100 * mebibyte);
  assert.equal((await rawRequest(lab.host, 'GET', '/v2/')).status, 200);
});

test('headers and paths without end are refused', async () => {
  await using lab = await open();
  const long = 'a'.repeat(100_000);
  assert.equal((await rawRequest(lab.host, 'GET', '/v2/', { 'x-long': long })).status, 431);
  assert.equal((await rawRequest(lab.host, 'GET', `/v2/${long}/tags/list`)).status, 431);
});

test('uploads that are begun and left are bounded, and give room when they are cancelled', async () => {
  await using lab = await open();
  const begin = () => rawRequest(lab.host, 'POST', '/v2/app/blobs/uploads/');
  let refused: Awaited<ReturnType<typeof begin>> | undefined;
  const locations: string[] = [];
  while (refused === undefined) {
    const answer = await begin();
    if (answer.status === 202) locations.push(answer.headers.location ?? '');
    else refused = answer;
    assert.ok(locations.length <= 256);
  }
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers['retry-after']) > 0);
  assert.equal((await rawRequest(lab.host, 'DELETE', locations[0] ?? '')).status, 204);
  assert.equal((await begin()).status, 202);
  await lab.server.close();
  assert.equal(await lab.unfinished(), 0);
});

test('uploads on which nobody works are thrown away when they are old', async () => {
  await using lab = await open({ uploadExpiryMs: 100 });
  const begin = () => rawRequest(lab.host, 'POST', '/v2/app/blobs/uploads/');
  const { headers } = await begin();
  let begun = 1;
  const someHaveGone = async (): Promise<boolean> => {
    await begin();
    begun += 1;
    return (await lab.unfinished()) < begun;
  };
  await eventually('old uploads go when others are begun', someHaveGone, 10_000);
  assert.equal((await rawRequest(lab.host, 'PATCH', headers.location ?? '')).status, 404);
});

test('a client that sends a part and falls silent holds up nobody else', async () => {
  await using lab = await open();
  const blob = Buffer.alloc(100_000, 'x');
  const { headers } = await rawRequest(lab.host, 'POST', '/v2/app/blobs/uploads/');
  const [host = '', port = ''] = lab.host.split(':');
  const silent = connect(Number(port), host);
  silent.on('error', () => undefined); // the server ends it, as it should
  silent.write(`PATCH ${headers.location} HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n${'x'.repeat(1000)}`);
  assert.equal((await uploadBlob(lab.host, 'other', digestOf(blob), blob)).status, 201);
  // The same client, back on another connection, goes on behind what has arrived.
  const status = await rawRequest(lab.host, 'GET', headers.location ?? '');
  assert.equal(status.status, 204);
  const received = Number(/^0-(\d+)$/.exec(status.headers.range ?? '')?.[1]) + 1;
  assert.equal(received, 1000);
  const path = `${status.headers.location}?digest=${digestOf(blob)}`;
  const range = { 'content-range': `${received}-${blob.byteLength - 1}` };
  assert.equal((await rawRequest(lab.host, 'PUT', path, range, blob.subarray(received))).status, 201);
  silent.destroy();
});

test('closing ends what is under way at once', async () => {
  await using lab = await open();
  const { headers } = await rawRequest(lab.host, 'POST', '/v2/app/blobs/uploads/');
  const [host = '', port = ''] = lab.host.split(':');
  const silent = connect(Number(port), host);
  const ended = new Promise<void>((resolve) => silent.once('close', () => resolve()));
  silent.on('error', () => undefined); // see below: it has to end
  silent.write(`PATCH ${headers.location} HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\nx`);
  await eventually('the part has arrived', async () => (await lab.unfinished()) === 1);
  const started = performance.now();
  await lab.server.close();
  await lab.server.close();
  assert.ok(performance.now() - started < 1000);
  await ended;
  assert.equal(await lab.unfinished(), 0);
});

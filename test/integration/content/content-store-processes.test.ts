import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { digestOf } from '#lib/core/digest.js';
import { replyBlob, startFakeRegistry } from '../../helpers/fake-registry.js';
import { temporaryDirectory } from '../../helpers/temporary-directory.js';

const program = fileURLToPath(new URL('../../helpers/ingest-process.js', import.meta.url));
const content = Buffer.alloc(3_000_000, 'a blob of several processes ');
const digest = digestOf(content);

interface Ingesting {
  readonly child: ChildProcess;
  /** All that it printed, after it has ended. */
  readonly ended: Promise<string>;
}

function ingest(root: string, url: string): Ingesting {
  const child = spawn(process.execPath, [program, root, digest, String(content.byteLength), url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  return { child, ended: once(child, 'close').then(() => printed) };
}

test('several processes download a blob once, and the blob is whole', async () => {
  await using directory = await temporaryDirectory();
  await using server = await startFakeRegistry();
  server.script('/blob', replyBlob(content));
  const printed = await Promise.all(
    Array.from({ length: 3 }, () => ingest(directory.path, `${server.origin}/blob`).ended),
  );
  assert.deepEqual([...printed].sort(), ['done\n', 'done\n', 'offset 0\ndone\n']);
  assert.equal(server.seen.length, 1);
  assert.deepEqual(await readFile(join(directory.path, 'blobs', 'sha256', digest.slice(7))), content);
});

test('a killed download is continued by the process that waits for it, and a half blob is never visible', async () => {
  await using directory = await temporaryDirectory();
  await using server = await startFakeRegistry();
  const half = content.byteLength / 2;
  let asked: () => void = () => undefined;
  const secondAsks = new Promise<void>((resolve) => {
    asked = resolve;
  });
  server.script(
    '/blob',
    (_request, response) => {
      response.writeHead(200, { 'content-length': String(content.byteLength) });
      response.write(content.subarray(0, half));
    },
    (request, response) => {
      asked();
      replyBlob(content)(request, response);
    },
  );
  const first = ingest(directory.path, `${server.origin}/blob`);
  const partial = join(directory.path, 'ingest', `sha256-${digest.slice(7)}`);
  await untilSize(partial, half);
  const second = ingest(directory.path, `${server.origin}/blob`);
  assert.deepEqual(await readdir(join(directory.path, 'blobs', 'sha256')), []);
  first.child.kill('SIGKILL');
  assert.equal(await first.ended, 'offset 0\n');
  await secondAsks;
  assert.equal(await second.ended, `offset ${half}\ndone\n`);
  assert.deepEqual(await readFile(join(directory.path, 'blobs', 'sha256', digest.slice(7))), content);
  assert.deepEqual(await readdir(join(directory.path, 'ingest')), []);
});

/** Another process writes this file: all that can be done is to look. */
async function untilSize(path: string, size: number): Promise<void> {
  for (;;) {
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && found.size >= size) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { NodeFetchHttpClient } from '#lib/registry/node-fetch/node-fetch-http-client.js';
import { readAll } from '../../helpers/read-all.js';
import { temporaryDirectory } from '../../helpers/temporary-directory.js';

test('a certificate is trusted only when its authority was given', async () => {
  await using directory = await temporaryDirectory();
  const [key, cert] = [join(directory.path, 'key.pem'), join(directory.path, 'cert.pem')];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const subject = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert];
  await promisify(execFile)('openssl', [...request, ...subject]);
  const ca = await readFile(cert, 'utf8');
  const server = createServer({ key: await readFile(key), cert: ca }, (_request, response) => response.end('secure'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const get = (http: NodeFetchHttpClient, host: string) =>
    http.request({ method: 'GET', url: new URL(`https://${host}:${port}/`), headers: {} });
  const trusting = new NodeFetchHttpClient({ ca: [ca] });
  const strict = new NodeFetchHttpClient();
  try {
    assert.equal((await readAll((await get(trusting, '127.0.0.1')).body)).toString(), 'secure');
    await assert.rejects(get(strict, '127.0.0.1'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    await assert.rejects(get(trusting, 'localhost'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  } finally {
    trusting.close();
    strict.close();
    server.closeAllConnections();
    server.close();
  }
});

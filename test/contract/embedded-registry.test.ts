import { join } from 'node:path';
import { type RegistryAuth, serveRegistry } from 'tscontainer';
import { DistributionRegistryClient } from '#lib/registry/distribution/distribution-registry-client.js';
import { StaticCredentialSource } from '#lib/registry/memory/static-credential-source.js';
import { NodeFetchHttpClient } from '#lib/registry/node-fetch/node-fetch-http-client.js';
import { registryClientContract } from '#lib/testing/contracts/registry-client-contract.js';
import type { RegistryUnderTest } from '#lib/testing/contracts/registry-under-test.js';
import { openMemoryEngine } from '#lib/testing/memory-engine.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { makeTestCertificates } from '../helpers/test-certificate.js';

const user = { username: 'me', password: 'a secret: ä' };
const users = { [user.username]: user.password };

registryClientContract('the embedded registry', () => open({}));
registryClientContract('the embedded registry with passwords', () => open({ auth: { kind: 'basic', users } }));
registryClientContract('the embedded registry with tokens', () => open({ auth: { kind: 'token', users } }));
registryClientContract('the embedded registry over TLS', () => open({ tls: true }));
registryClientContract('the embedded registry of an engine', () => open({ engine: true }));

interface Kind {
  readonly auth?: RegistryAuth;
  readonly tls?: boolean;
  readonly engine?: boolean;
}

async function open({ auth, tls = false, engine: ofEngine = false }: Kind): Promise<RegistryUnderTest> {
  const directory = await temporaryDirectory();
  const certificates = tls ? await makeTestCertificates(directory.path) : undefined;
  const engine = ofEngine ? await openMemoryEngine({ root: join(directory.path, 'root') }) : undefined;
  const server = await serveRegistry({
    ...(engine === undefined ? { directory: join(directory.path, 'registry') } : { engine }),
    ...(auth !== undefined && { auth }),
    ...(certificates !== undefined && {
      tls: { cert: certificates.server.certificate, key: certificates.server.key },
    }),
  });
  const { host } = server;
  const client = new DistributionRegistryClient({
    http: new NodeFetchHttpClient(certificates === undefined ? {} : { ca: [certificates.ca] }),
    findHost: () => Promise.resolve({ mirrors: [], http: undefined, encrypted: tls }),
    credentials: new StaticCredentialSource(auth === undefined ? {} : { [host]: { kind: 'basic', ...user } }),
  });
  return {
    client,
    host,
    deletesTags: true,
    ...(auth !== undefined && { user }),
    async [Symbol.asyncDispose]() {
      client.close();
      await server.close();
      await engine?.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

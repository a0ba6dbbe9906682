import { DistributionRegistryClient } from '#lib/registry/distribution/distribution-registry-client.js';
import { StaticCredentialSource } from '#lib/registry/memory/static-credential-source.js';
import { NodeFetchHttpClient } from '#lib/registry/node-fetch/node-fetch-http-client.js';
import { registryClientContract } from '#lib/testing/contracts/registry-client-contract.js';
import type { RegistryUnderTest } from '#lib/testing/contracts/registry-under-test.js';
import { startDockerRegistry } from '../../helpers/docker-registry.js';
import { temporaryDirectory } from '../../helpers/temporary-directory.js';
import { makeTestCertificates } from '../../helpers/test-certificate.js';

registryClientContract('docker-registry', () => open());
registryClientContract('docker-registry with a password', () => open({ login: true }));
registryClientContract('docker-registry over TLS', () => open({ tls: true }));

async function open(options: { login?: boolean; tls?: boolean } = {}): Promise<RegistryUnderTest> {
  const directory = await temporaryDirectory();
  const certificates = options.tls === true ? await makeTestCertificates(directory.path) : undefined;
  const registry = await startDockerRegistry({
    ...(options.login !== undefined && { login: options.login }),
    ...(certificates !== undefined && { tls: certificates.server }),
  });
  const { username, password } = registry;
  const { host } = registry;
  const client = new DistributionRegistryClient({
    http: new NodeFetchHttpClient(certificates === undefined ? {} : { ca: [certificates.ca] }),
    findHost: () => Promise.resolve({ mirrors: [], http: undefined, encrypted: options.tls === true }),
    credentials: new StaticCredentialSource(
      options.login === true ? { [host]: { kind: 'basic', username, password } } : {},
    ),
  });
  return {
    client,
    host,
    deletesTags: false,
    ...(options.login === true && { user: { username, password } }),
    async [Symbol.asyncDispose]() {
      client.close();
      await registry.stop();
      await directory[Symbol.asyncDispose]();
    },
  };
}

import { MemoryRegistryClient } from '#lib/registry/memory/memory-registry-client.js';
import { registryClientContract } from '#lib/testing/contracts/registry-client-contract.js';

const user = { username: 'me', password: 'secret' };

registryClientContract('memory', async () => {
  const client = new MemoryRegistryClient();
  client.addUser('registry.test', user.username, user.password);
  return {
    client,
    host: 'registry.test',
    deletesTags: true,
    user,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
});

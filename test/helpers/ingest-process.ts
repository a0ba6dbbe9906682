// Ingests one blob into a store that other processes use too: ROOT DIGEST SIZE URL. Prints each offset it downloads from.
import { FsContentStore } from '#lib/content/fs/fs-content-store.js';
import { parseDigest } from '#lib/core/digest.js';
import { NodeFetchHttpClient } from '#lib/registry/node-fetch/node-fetch-http-client.js';
import { libcFileLocker } from './libc-file-locker.js';

const [root = '', digest = '', size = '', url = ''] = process.argv.slice(2);
const store = new FsContentStore(root, libcFileLocker());
const http = new NodeFetchHttpClient();

await store.ingest({ mediaType: 'x/y', digest: parseDigest(digest), size: Number(size) }, async (offset) => {
  console.log(`offset ${offset}`);
  const headers = offset === 0 ? {} : { range: `bytes=${offset}-` };
  const response = await http.request({ method: 'GET', url: new URL(url), headers });
  return { offset, body: response.body };
});
http.close();
console.log('done');

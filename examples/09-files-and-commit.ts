/**
 * Files of a container: copied into it and out of it, while it runs and when it does not; what it has changed, and an image
 * made of that.
 *
 *   node 09-files-and-commit.js [ROOT]
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from 'tscontainer';

const [root = '/var/lib/tscontainer-example'] = process.argv.slice(2);
await using engine = await Engine.open({ root });
await engine.images.fromHost({ binaries: ['sh', 'cat', 'sleep', 'mkdir', 'rm'], tag: 'tools:1' });

await using container = await engine.containers.create({
  image: 'tools:1',
  command: ['sh', '-c', 'mkdir -p /app; while :; do sleep 1; done'],
  network: 'none',
  stopTimeoutMs: 0,
});
await container.start();
await container.copyTo('/greeting', { content: 'hello from the host\n', mode: 0o600 });
process.stdout.write((await container.exec(['cat', '/greeting'])).stdout);
await container.exec(['sh', '-c', 'echo made inside > /app/result; rm /greeting']);
await container.stop();

// No program of the container is needed, so it need not run either.
const directory = await mkdtemp(join(tmpdir(), 'example-'));
await container.copyFrom('/app/result', directory);
process.stdout.write(await readFile(join(directory, 'result'), 'utf8'));
await rm(directory, { recursive: true });
await container.copyTo('/app/version', { content: '1\n' });

for (const { kind, path } of await container.diff()) console.log(`${kind} ${path}`);
const image = await container.commit({
  name: 'tools:2',
  message: 'with results',
  changes: ['CMD ["cat", "/app/result"]'],
});
process.stdout.write((await engine.run(image.id, undefined, { network: 'none' })).stdout);

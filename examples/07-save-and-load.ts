/**
 * Images without a registry: saves some to an archive that Docker and podman can load, too, and loads it on an engine with
 * another root. Makes an image of a root file system, and shows what all of it takes on disk.
 *
 *   node 07-save-and-load.js [DIRECTORY]
 */
import { spawn } from 'node:child_process';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Engine } from 'tscontainer';

const [directory = '/var/lib/tscontainer-example'] = process.argv.slice(2);
await mkdir(directory, { recursive: true });
const archive = join(directory, 'tools.tar');

await using here = await Engine.open({ root: join(directory, 'here') });
await here.images.fromHost({ binaries: ['sh', 'uname'], tag: 'tools:1' });
await here.images.tag('tools:1', 'tools:latest');
await here.images.save(['tools:1', 'tools:latest'], archive);
console.log(`saved ${(await stat(archive)).size} bytes`);

// Another engine, as on another machine.
await using there = await Engine.open({ root: join(directory, 'there') });
for (const image of await there.images.load(archive)) console.log(`loaded ${image.names.join(' and ')}`);
process.stdout.write((await there.run('tools:1', ['sh', '-c', 'echo hello from $(uname)'])).stdout);

// A stream will do: what comes through this pipe becomes the only layer of an image.
const tar = spawn('tar', ['-C', directory, '-c', 'tools.tar'], { stdio: ['ignore', 'pipe', 'inherit'] });
const data = await there.images.import(tar.stdout, {
  name: 'data',
  changes: ['LABEL purpose=example', 'VOLUME /tools'],
  message: 'an archive as data',
});
console.log(`imported ${data.name} with ${JSON.stringify(data.labels)}`);

const labelled = await there.images.list({ filters: { label: 'purpose=example' } });
console.log(`labelled: ${labelled.map(({ name }) => name).join()}`);
for (const { names, sharedBytes, containers } of (await there.images.diskUsage()).images) {
  console.log(`${names.join()}: ${sharedBytes} bytes shared, ${containers} containers`);
}
const { deleted, freedBytes } = await there.images.prune({ all: true });
console.log(`pruned ${deleted.length} images, freed ${freedBytes > 0 ? 'their' : 'no'} bytes`);

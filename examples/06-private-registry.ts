/**
 * A private registry: serves one, pushes an image of this engine to it, and runs it on an engine with another root.
 *
 *   node 06-private-registry.js [DIRECTORY]
 */
import { join } from 'node:path';
import { Engine, type PushProgress, serveRegistry } from 'tscontainer';

const [directory = '/var/lib/tscontainer-example'] = process.argv.slice(2);
const user = { username: 'builder', password: 'secret' };

// Where images are built …
await using builder = await Engine.open({
  root: join(directory, 'builder'),
  dockerConfig: join(directory, 'config.json'), // a login is stored here instead of in ~/.docker
});
// … and where they are kept: OCI distribution, so that docker, podman and skopeo can use it, too.
await using registry = await serveRegistry({
  directory: join(directory, 'registry'),
  auth: { kind: 'token', users: { [user.username]: user.password }, anonymous: 'pull' },
});

const login = await builder.login(registry.host, user);
console.log(`logged in, with ${login.identityToken ? 'an identity token' : 'the password'} in ${login.storedIn}`);

function show(progress: PushProgress): void {
  if (progress.type === 'resolved') console.log(`${progress.blobCount} blobs, ${progress.totalBytes} bytes`);
  else if (progress.type === 'uploaded') console.log(`uploaded ${progress.totalBytes} bytes`);
  else if (progress.type === 'mounted') console.log(`${progress.from} has ${progress.totalBytes} bytes already`);
}

await builder.images.fromHost({ binaries: ['sh', 'uname'], tag: 'tools:1' });
for (const name of ['team/tools:1', 'team/copy:1']) {
  await builder.images.tag('tools:1', `${registry.host}/${name}`);
  const pushed = await builder.images.push(`${registry.host}/${name}`, { onProgress: show });
  console.log(`pushed ${name}, ${pushed.uploadedBytes} bytes sent`);
}
for (const { name } of await builder.images.search('team', { registry: registry.host })) {
  console.log(`found ${name.slice(registry.host.length + 1)}`);
}

// Another engine, as on another machine: it knows nothing but the name, and pulling needs no login here.
await using runner = await Engine.open({
  root: join(directory, 'runner'),
  dockerConfig: join(directory, 'none.json'),
});
const { stdout } = await runner.run(`${registry.host}/team/tools:1`, ['sh', '-c', 'echo hello from $(uname)']);
process.stdout.write(stdout);

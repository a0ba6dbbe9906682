/**
 * A container that keeps running: commands inside it, its streams, its log.
 *
 *   node 03-exec-and-logs.js [ROOT]
 */
import { Engine } from 'tscontainer';

await using engine = await Engine.open({ root: process.argv[2] ?? '/var/lib/tscontainer' });
await engine.images.fromHost({ binaries: ['sh', 'sleep', 'cat', 'tr'], tag: 'host-tools-3' });

const container = await engine.containers.create({
  image: 'host-tools-3',
  command: [
    'sh',
    '-c',
    'trap "echo goodbye; exit 0" TERM; for i in 1 2 3; do echo "line $i"; done; while :; do sleep 0.1; done',
  ],
  env: { GREETING: 'hello' },
});
await container.start();

// A command with its output at once …
const { stdout, exitCode } = await container.exec(['sh', '-c', 'echo "$GREETING from exec"']);
console.log(stdout.trimEnd(), `(exit code ${exitCode})`);

// … and one whose streams are held.
const upper = await container.spawn(['tr', 'a-z', 'A-Z']);
upper.stdin?.end('streams are real pipes\n');
for await (const chunk of upper.stdout ?? []) process.stdout.write(chunk);
await upper.wait();

const exit = await container.stop(); // SIGTERM, then SIGKILL after ten seconds
console.log(`stopped with exit code ${exit.exitCode}`);

for await (const line of container.logs()) console.log(`${line.stream}: ${line.text}`);
await container.remove();

/**
 * Runs a program of this machine in a sandbox, with no image at all: it sees what is installed here, changes nothing of it,
 * has no network, and is limited.
 *
 *   node 08-host-sandbox.js [DIRECTORY]
 */
import { Engine } from 'tscontainer';

const [root] = process.argv.slice(2);
await using engine = await Engine.open(root === undefined ? {} : { root });

const sandbox = { network: 'none', user: 'nobody', memory: '100m', pidsLimit: 50, init: true } as const;

const greeting = await engine.run({ host: true }, ['sh', '-c', 'echo "I am $(id -un) on $(hostname)"'], {
  ...sandbox,
  hostname: 'sandbox',
});
console.log(greeting.stdout.trim());

// What is written goes to a layer in memory, and is gone with the container.
const script = 'echo changed > /etc/hostname.new && cat /etc/hostname.new';
const writing = await engine.run({ host: true }, ['sh', '-c', script], { ...sandbox, user: 'root' });
const after = await engine.run({ host: true }, ['sh', '-c', 'ls /etc/hostname.new'], sandbox);
console.log(`inside: ${writing.stdout.trim()}; afterwards: ${after.exitCode === 0 ? 'still there' : 'gone'}`);

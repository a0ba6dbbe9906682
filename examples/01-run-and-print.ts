/**
 * Runs one command in a container and prints what it says.
 *
 *   node 01-run-and-print.js [ROOT]
 */
import { Engine } from 'tscontainer';

await using engine = await Engine.open({ root: process.argv[2] ?? '/var/lib/tscontainer' });

// An image from programs of this host: no registry is needed.
await engine.images.fromHost({ binaries: ['sh', 'cat', 'ls'], tag: 'host-tools' });

const result = await engine.run('host-tools', ['sh', '-c', 'echo "hello from $(cat /etc/hostname)"; ls /; exit 3']);

process.stdout.write(result.stdout);
// A non-zero exit is a result, not an error.
console.log(`exit code ${result.exitCode} after ${result.durationMs.toFixed(1)} ms`);

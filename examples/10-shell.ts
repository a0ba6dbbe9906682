/**
 * An interactive shell in a container, on this machine's own root file system or on an image. What is written is gone with
 * the container. ctrl-p ctrl-q leaves it running.
 *
 *   node 10-shell.js [--root DIRECTORY] [IMAGE]
 *   node 10-shell.js [--root DIRECTORY] --attach NAME
 */
import { parseArgs } from 'node:util';
import { bridgeTerminal, type Container, Engine } from 'tscontainer';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { root: { type: 'string' }, attach: { type: 'string' } },
});
await using engine = await Engine.open(values.root === undefined ? {} : { root: values.root });
const container =
  values.attach === undefined ? await create(positionals[0]) : await engine.containers.get(values.attach);

// Attached before the start, so that nothing of the output is missed.
const streams = await container.attach();
if (values.attach === undefined) await container.start();
const end = await bridgeTerminal(streams);

if (end.reason === 'exited') {
  process.exitCode = end.exit.exitCode;
  await container.remove();
} else {
  const root = values.root === undefined ? '' : ` --root ${values.root}`;
  console.log(`\ndetached; node ${process.argv[1]}${root} --attach ${container.name} attaches again`);
}

async function create(image: string | undefined): Promise<Container> {
  if (image !== undefined) await engine.images.pull(image);
  return engine.containers.create({
    ...(image === undefined ? { rootfs: { host: true }, network: 'none' } : { image }),
    command: ['sh', '-c', 'command -v bash >/dev/null && exec bash; exec sh'],
    env: { TERM: process.env.TERM ?? 'xterm' },
    tty: true,
    openStdin: true,
    log: 'none',
    lifetime: 'detached', // it outlives this program
  });
}

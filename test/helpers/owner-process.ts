// A program that owns a container: `node owner-process.js owner|detached|released`. Prints the container's process and
// stays until it is killed.
import { openShimLauncher } from './shim-launcher-fixture.js';

const mode = process.argv[2];
const tested = await openShimLauncher();
const launched = await tested.launcher.launch({
  spec: tested.spec('hang', [], {}),
  stdin: 'null',
  output: { log: { prefix: `${tested.directory}/log.`, maxBytes: 2 ** 20, maxFiles: 2 } },
  terminal: false,
  lifetime: mode === 'detached' ? 'detached' : 'owner',
  exitFile: `${tested.directory}/exit`,
  durable: false,
});
if (mode === 'released') launched.release();
const { pid, startTicks } = launched.identity;
console.log(JSON.stringify({ pid, startTicks: String(startTicks), exitFile: `${tested.directory}/exit` }));
setInterval(() => undefined, 1000);

// The same again and again, and many at once, as root: `npm run test:soak -- [--cycles N] [--concurrency N] [--idle N]
// [cycles|idle …]`.

import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { idleContainers } from './idle-containers.js';
import { soak } from './soak-cycles.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cycles: { type: 'string', default: '10000' },
    concurrency: { type: 'string', default: '8' },
    idle: { type: 'string', default: '500' },
  },
});
setFlagsFromString('--expose-gc');
(globalThis as { gc?: unknown }).gc = runInNewContext('gc');
const wanted = positionals.length > 0 ? positionals : ['cycles', 'idle'];

if (wanted.includes('cycles')) {
  const report = await soak({
    cycles: Number(values.cycles),
    concurrency: Number(values.concurrency),
    onProgress: (text) => console.log(text),
  });
  console.log(`soak: ${JSON.stringify(report)}`);
}
if (wanted.includes('idle'))
  console.log(`idle containers: ${JSON.stringify(await idleContainers(Number(values.idle)))}`);

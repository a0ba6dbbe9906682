// Long tests with random numbers: `npm run test:campaign -- [--seed N] [--runs N] [--moments N] [exits|owners|pulls …]`. As root.
import { parseArgs } from 'node:util';
import { exactExits } from './exact-exits.js';
import { killedOwners } from './killed-owners.js';
import { killedPulls } from './killed-pulls.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    runs: { type: 'string', default: '10000' },
    moments: { type: 'string', default: '30' },
  },
});
const seed = Number(values.seed);
const wanted = positionals.length > 0 ? positionals : ['owners', 'pulls', 'exits'];
console.log(`seed ${seed}`);

if (wanted.includes('owners')) {
  const report = await killedOwners({ seed, moments: Number(values.moments), onMoment: (text) => console.log(text) });
  console.log(`killed owners: ${JSON.stringify(report)}`);
}
if (wanted.includes('pulls')) {
  const report = await killedPulls({ seed, moments: Number(values.moments), onMoment: (text) => console.log(text) });
  console.log(`killed pulls: ${JSON.stringify(report)}`);
}
if (wanted.includes('exits')) {
  const onProgress = (done: number): void => {
    if (done % 500 === 0) console.log(`${done} processes`);
  };
  const runs = Number(values.runs);
  const report = await exactExits({ seed, runs, concurrency: 16, maxBytes: 1024 * 1024, onProgress });
  console.log(`exact exits: ${JSON.stringify(report)}`);
}

// Kills and errors of the system at random moments, as root: `npm run test:faults -- [--seed N] [--kills N] [--moments N]
// [--errors EIO,…] [--operations open,…] [--at N] [kills|writes|owners|pulls …]`. Prints its seed; the same one repeats a run.
import { parseArgs } from 'node:util';
import { type FailedWritesOptions, failedWrites } from './failed-writes.js';
import { killedOwners } from './killed-owners.js';
import { killedPulls } from './killed-pulls.js';
import { killsAtWork } from './kills-at-work.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    kills: { type: 'string', default: '300' },
    moments: { type: 'string', default: '30' },
    errors: { type: 'string', default: 'ENOSPC,EMFILE,ENOMEM,EIO' },
    operations: { type: 'string' },
    at: { type: 'string' },
  },
});
const seed = Number(values.seed);
const moments = Number(values.moments);
const wanted = positionals.length > 0 ? positionals : ['kills', 'writes', 'owners', 'pulls'];
const print = (text: string): void => console.log(text);
console.log(`seed ${seed}`);

if (wanted.includes('kills')) {
  const report = await killsAtWork({ seed, moments: Number(values.kills), onMoment: print });
  console.log(`kills at work: ${JSON.stringify(report)}`);
}
if (wanted.includes('writes')) {
  const errors = values.errors.split(',') as unknown as FailedWritesOptions['errors'];
  const { cases, findings } = await failedWrites({
    errors,
    ...(values.operations !== undefined && { operations: values.operations.split(',') }),
    ...(values.at !== undefined && { at: Number(values.at) }),
    onFinding: print,
  });
  console.log(`failed writes: ${cases} cases, ${findings.length} findings`);
  if (findings.length > 0) process.exitCode = 1;
}
if (wanted.includes('owners')) {
  console.log(`killed owners: ${JSON.stringify(await killedOwners({ seed, moments, onMoment: print }))}`);
}
if (wanted.includes('pulls')) {
  console.log(`killed pulls: ${JSON.stringify(await killedPulls({ seed, moments, onMoment: print }))}`);
}

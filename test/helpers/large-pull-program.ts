// Pulls an image and measures the event loop and the memory meanwhile: in a program of its own, since the test runner
// follows every promise, which takes longer than the work. Arguments: engine options as JSON, the reference. Prints a
// LargePullReport as JSON.
import { Engine, type EngineOptions } from 'tscontainer';
import { watchTurns } from './watch-turns.js';

/** What has been measured. */
export interface LargePullReport {
  readonly longestTurnMs: number;
  /** Resident memory at its highest, less that at the beginning. */
  readonly memoryBytes: number;
  /** The most layers that were on their way at once. */
  readonly parallel: number;
  /** As the progress has told it at its end. */
  readonly totalBytes: number;
  readonly doneBytes: number;
  readonly unpackedLayers: number;
}

const [, , options = '{}', reference = ''] = process.argv;
await using engine = await Engine.open(JSON.parse(options) as EngineOptions);
const before = process.memoryUsage.rss();
let memoryBytes = 0;
const sampler = setInterval(() => {
  memoryBytes = Math.max(memoryBytes, process.memoryUsage.rss() - before);
}, 20);
const done = new Map<string, { readonly doneBytes: number; readonly totalBytes: number }>();
let [parallel, totalBytes, unpackedLayers] = [0, 0, 0];
const turns = watchTurns();
await engine.images.pull(reference, {
  onProgress: (progress) => {
    if (progress.type === 'resolved') totalBytes = progress.totalBytes;
    if (progress.type === 'unpacked') unpackedLayers += 1;
    if (progress.type !== 'downloading') return;
    done.set(progress.digest, progress);
    parallel = Math.max(parallel, [...done.values()].filter((each) => each.doneBytes < each.totalBytes).length);
  },
});
const longestTurnMs = turns.longestMs();
clearInterval(sampler);
const doneBytes = [...done.values()].reduce((sum, each) => sum + each.doneBytes, 0);
const report: LargePullReport = { longestTurnMs, memoryBytes, parallel, totalBytes, doneBytes, unpackedLayers };
console.log(JSON.stringify(report));

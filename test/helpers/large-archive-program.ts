// Imports, saves and loads an image of 200 MiB and measures the event loop meanwhile: in a program of its own, since the
// test runner follows every promise, which takes longer than the work. Argument: the directory for everything. Prints a
// LargeArchiveReport as JSON.
import { createHash, randomFillSync } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Engine } from 'tscontainer';
import { tarEnd, tarHeader } from './tar-builder.js';
import { watchTurns } from './watch-turns.js';

/** What has been measured. */
export interface LargeArchiveReport {
  readonly saveMs: number;
  readonly loadMs: number;
  /** Resident memory at its highest, less that at the beginning. */
  readonly memoryBytes: number;
  readonly archiveBytes: number;
  /** What was loaded is what was imported, and has the layer that it should have. */
  readonly isSame: boolean;
}

const mebibyte = 1024 * 1024;
const [, , directory = ''] = process.argv;

/** 200 MiB that do not compress. */
async function* largeRoot(): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(mebibyte / 4); // the same for all: garbage of this file is not what is measured
  for (let index = 0; index < 20; index += 1) {
    yield tarHeader({ name: `file-${index}`, size: 10 * mebibyte });
    for (let part = 0; part < 40; part += 1) yield randomFillSync(bytes);
  }
  yield tarEnd();
}

const hash = createHash('sha256');
async function* hashed(): AsyncGenerator<Uint8Array> {
  for await (const bytes of largeRoot()) {
    hash.update(bytes);
    yield bytes;
  }
}

await using engine = await Engine.open({ root: join(directory, 'root'), runRoot: join(directory, 'run') });
const file = join(directory, 'large.tar');
const before = process.memoryUsage.rss();
let memoryBytes = 0;
const sampler = setInterval(() => {
  memoryBytes = Math.max(memoryBytes, process.memoryUsage.rss() - before);
}, 20);
const { images } = engine;
const imported = await images.import(hashed(), { name: 'large' });
const saving = watchTurns();
await images.save('large', file);
const saveMs = saving.longestMs();
await images.remove('large');
const loading = watchTurns();
const [loaded] = await images.load(file);
const loadMs = loading.longestMs();
clearInterval(sampler);
const isSame = loaded?.id === imported.id && imported.layers[0] === `sha256:${hash.digest('hex')}`;
const report: LargeArchiveReport = { saveMs, loadMs, memoryBytes, archiveBytes: (await stat(file)).size, isSame };
console.log(JSON.stringify(report));

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Engine, type EngineOptions } from 'tscontainer';
import { digestOf } from '#lib/core/digest.js';
import { busyboxMembers } from '../helpers/busybox-layer.js';
import { type EngineLab, openEngineLab } from '../helpers/engine-lab.js';
import { publishImage } from '../helpers/publish-image.js';
import { seededRandom } from '../helpers/random.js';
import { slowBlob } from '../helpers/slow-blob.js';
import { tarOf } from '../helpers/tar-builder.js';

export interface KilledPullsOptions {
  readonly seed: number;
  readonly moments: number;
  readonly onMoment?: (text: string) => void;
}

/** How often a pull was killed with so much of it done. */
export interface KilledPullsReport {
  readonly moments: number;
  /** Before the first byte of a layer. */
  readonly early: number;
  /** With a part of the layers. */
  readonly midway: number;
  /** After the last byte, but before the image was there. */
  readonly late: number;
  /** Too late: the image was there. */
  readonly done: number;
}

const program = fileURLToPath(new URL('../helpers/pull-process.js', import.meta.url));
/** A pull takes about half a second: its longest layer has 64 pieces. */
const PAUSE_MS = 5;
const LONGEST_MS = 500;

/**
 * Kills a process at random moments of a pull. The next pull completes; it asks for no blob that was there, and continues
 * the others behind the last byte that had reached the file; and nobody ever sees half an image.
 */
export async function killedPulls(options: KilledPullsOptions): Promise<KilledPullsReport> {
  const random = seededRandom(options.seed);
  await using lab = await openEngineLab();
  const layers = [
    Buffer.concat([busyboxMembers(), Buffer.alloc(1024)]),
    ...[500_000, 1_000_000, 2_000_000].map((size, index) => tarOf({ name: `noise-${index}`, content: noise(size) })),
  ];
  const reference = publishImage(lab.registry, 'campaign/image', { layers });
  for (const layer of layers) lab.registry.script(pathOf(layer), slowBlob(layer, PAUSE_MS));
  const report = { moments: options.moments, early: 0, midway: 0, late: 0, done: 0 };
  for (let moment = 0; moment < options.moments; moment += 1) {
    const waitMs = random.below(LONGEST_MS * 1000) / 1000;
    const what = `moment ${moment} of seed ${options.seed}, ${waitMs} ms`;
    const place = join(lab.directory, `moment-${moment}`);
    const places = { root: join(place, 'root'), runRoot: join(place, 'run') };
    await pullAndBeKilled(places, reference, waitMs);
    const found = await completePull(lab, places, reference, layers, what);
    report[found] += 1;
    options.onMoment?.(`${what}: ${found}`);
    await rm(place, { recursive: true });
  }
  return report;
}

const pathOf = (layer: Buffer): string => `/v2/campaign/image/blobs/${digestOf(layer)}`;

/** Text that does not repeat: every byte that is lost or doubled changes the digest. */
function noise(size: number): string {
  let text = '';
  for (let at = 0; text.length < size; at += 1) text += createHash('sha256').update(`${size} ${at}`).digest('hex');
  return text.slice(0, size);
}

async function pullAndBeKilled(places: EngineOptions, reference: string, waitMs: number): Promise<void> {
  const child = spawn(process.execPath, [program, JSON.stringify(places), reference], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const first = await Promise.race([once(child.stdout, 'data'), closed]);
  assert.match(String(first[0]), /ready/, 'it ended before it was killed');
  await delay(waitMs);
  child.kill('SIGKILL');
  await closed;
}

async function completePull(
  { registry }: EngineLab,
  places: { readonly root: string; readonly runRoot: string },
  reference: string,
  layers: readonly Buffer[],
  what: string,
): Promise<keyof Omit<KilledPullsReport, 'moments'>> {
  const here = new Map<string, number>();
  for (const layer of layers) here.set(pathOf(layer), await bytesHere(places.root, digestOf(layer)));
  await using engine = await Engine.open(places);
  const listed = await engine.images.list();
  const before = registry.seen.length;
  const seen: number[] = [];
  const image = await engine.images.pull(reference, {
    onProgress: async ({ type }) => {
      if (type === 'downloading' || type === 'unpacked') seen.push((await engine.images.list()).length);
    },
  });
  if (listed.length === 0) assert.ok(seen[0] === 0 && seen.slice(0, -1).every((count) => count === 0), what);
  const asked = registry.seen.slice(before).filter(({ path }) => here.has(path));
  const expected = layers.filter((layer) => (here.get(pathOf(layer)) ?? 0) < layer.byteLength).map(pathOf);
  assert.deepEqual(asked.map(({ path }) => path).sort(), expected.sort(), `${what}: each blob once that was not here`);
  for (const { path, headers } of asked) {
    const offset = here.get(path) ?? 0;
    assert.equal(headers.range, offset === 0 ? undefined : `bytes=${offset}-`, `${what}: ${path}`);
  }
  assert.equal(image.layers.length, layers.length, what);
  const { stdout } = await engine.run(reference, ['cat', '/noise-2'], { network: 'none' });
  assert.equal(digestOf(stdout), digestOf(noise(2_000_000)), what);
  for (const empty of ['content/ingest', 'layers/tmp']) {
    assert.deepEqual(await readdir(join(places.root, empty)), [], `${what}: ${empty}`);
  }
  if (listed.length > 0) return 'done';
  const bytes = [...here.values()].reduce((sum, each) => sum + each, 0);
  return bytes === 0 ? 'early' : asked.length === 0 ? 'late' : 'midway';
}

/** Of a blob that is there, or of the file in which it grows. */
async function bytesHere(root: string, digest: string): Promise<number> {
  const hex = digest.slice('sha256:'.length);
  for (const name of [`content/blobs/sha256/${hex}`, `content/ingest/sha256-${hex}`]) {
    const found = await stat(join(root, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (found !== undefined) return found.size;
  }
  return 0;
}

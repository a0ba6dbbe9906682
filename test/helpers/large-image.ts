import { createCipheriv } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianRoot } from './debian-root.js';
import { type ImageLayout, makeImageLayout } from './image-layout.js';
import { listTree, tarDirectory, tarPaths } from './pack-tree.js';
import { runChecked } from './run-checked.js';
import { cached } from './test-cache.js';

const wantedFiles = 13_900;
const wantedBytes = 345e6;

/**
 * The image of the pull measurement: a Debian system in three layers and generated files, half of each random and half
 * text, in two more. About 13,900 files, 345 MB, less than half of that compressed. Made alike each time.
 */
export async function largeImage(): Promise<ImageLayout> {
  const directory = await cached('large-image-1', makeLargeImage);
  return { path: join(directory, 'layout'), tag: 'latest' };
}

async function makeLargeImage(made: string): Promise<void> {
  const root = await debianRoot();
  const all = await listTree(root);
  const isShare = (path: string): boolean => path.startsWith('./usr/share');
  const isUsr = (path: string): boolean => path.startsWith('./usr');
  const layers = [0, 1, 2, 3, 4].map((number) => join(made, `${number}.tar`)) as [
    string,
    string,
    string,
    string,
    string,
  ];
  await tarPaths(
    root,
    all.filter((path) => !isUsr(path)),
    layers[0],
  );
  await tarPaths(
    root,
    all.filter((path) => isUsr(path) && !isShare(path)),
    layers[1],
  );
  await tarPaths(root, all.filter(isShare), layers[2]);

  const usedBytes = Number((await runChecked('du', ['-s', '--bytes', root])).split('\t')[0]);
  const files = Math.floor((wantedFiles - all.length) / 2);
  const bytes = Math.floor((wantedBytes - usedBytes) / 2);
  if (files < 1 || bytes < 1) throw new Error(`the base system is too large: ${all.length} files, ${usedBytes} bytes`);
  for (const [index, tar] of [layers[3], layers[4]].entries()) {
    const staging = join(made, 'staging');
    await generateFiles(join(staging, 'opt', `data-${index}`), files, bytes, index);
    await tarDirectory(staging, tar);
    await rm(staging, { recursive: true });
  }
  await makeImageLayout(join(made, 'layout'), 'latest', layers, { command: ['/bin/sh'] });
  for (const layer of layers) await rm(layer);
}

async function generateFiles(directory: string, count: number, totalBytes: number, seed: number): Promise<void> {
  const random = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed + 1), Buffer.alloc(16)).update(
    Buffer.alloc(2 ** 24),
  );
  const text = Buffer.from('The quick brown fox jumps over the lazy dog, again and again.\n'.repeat(2_000));
  const mean = totalBytes / count;
  for (let index = 0; index < count; index++) {
    const folder = join(directory, String(index % 64));
    if (index < 64) await mkdir(folder, { recursive: true });
    // Sizes go evenly from a tenth of the mean to 1.9 times the mean; the pool is far larger than gzip looks back.
    const half = Math.floor((mean * (0.1 + (1.8 * index) / count)) / 2);
    const start = (index * 65_537) % (random.length - half);
    await writeFile(
      join(folder, `${index}.bin`),
      Buffer.concat([random.subarray(start, start + half), text.subarray(0, half)]),
    );
  }
}

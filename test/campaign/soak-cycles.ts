import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from 'tscontainer';
import { openEngineLab } from '../helpers/engine-lab.js';
import { type Footprint, settledFootprint, waitForSameFootprint } from '../helpers/footprint.js';

export interface SoakOptions {
  readonly cycles: number;
  readonly concurrency: number;
  /** Called after each tenth of the cycles. */
  readonly onProgress?: (text: string) => void;
}

export interface SoakReport {
  readonly cycles: number;
  readonly seconds: number;
  /** Of this process's resident memory, from after the warm-up to the end. */
  readonly memoryGrowthBytes: number;
  /** Of the file system that has the roots. */
  readonly inodeGrowth: number;
}

/** After so many cycles everything that is made once has been made, and the heap has its size. */
const WARM_UP = 0.2;

/**
 * Creates, starts, executes in, reads the log of and removes containers, many at once. Every exit and every byte is right,
 * and in the end there are no more descriptors, mounts, groups, interfaces, processes or files than after the warm-up.
 */
export async function soak({ cycles, concurrency, onProgress }: SoakOptions): Promise<SoakReport> {
  await using lab = await openEngineLab();
  const image = lab.image();
  const roots = [lab.options.root, lab.options.runRoot];
  const started = performance.now();
  const warmUp = Math.ceil(cycles * WARM_UP);
  await runCycles(lab.engine, image, 0, warmUp, concurrency);
  const before = await settledFootprint({ roots });
  const [bytesBefore, nodesBefore] = [await residentBytes(), inodes(before)];
  const part = Math.ceil((cycles - warmUp) / 10);
  for (let at = warmUp; at < cycles; at += part) {
    const count = Math.min(part, cycles - at);
    await runCycles(lab.engine, image, at, count, concurrency);
    const grown = ((await residentBytes()) - bytesBefore) / 2 ** 20;
    onProgress?.(
      `${at + count} cycles, ${((performance.now() - started) / 1000).toFixed()} s, ${grown.toFixed(1)} MB more`,
    );
  }
  const memoryGrowthBytes = (await residentBytes()) - bytesBefore;
  assert.deepEqual(await waitForSameFootprint(before), []);
  const after = await settledFootprint({ roots });
  const seconds = (performance.now() - started) / 1000;
  return { cycles, seconds, memoryGrowthBytes, inodeGrowth: inodes(after) - nodesBefore };
}

async function runCycles(
  engine: Engine,
  image: string,
  from: number,
  count: number,
  concurrency: number,
): Promise<void> {
  let next = from;
  const work = async (): Promise<void> => {
    while (next < from + count) {
      const index = next;
      next += 1;
      await cycle(engine, image, index);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}

async function cycle(engine: Engine, image: string, index: number): Promise<void> {
  const code = index % 200;
  const command = ['sh', '-c', `trap 'exit ${code}' TERM; echo begun ${index}; while :; do sleep 100 & wait; done`];
  const network = index % 4 === 0 ? 'bridge' : 'none';
  const lifetime = index % 8 < 4 ? 'owner' : 'detached';
  const container = await engine.containers.create({ image, command, network, lifetime });
  await container.start();
  for await (const line of container.logs({ follow: true })) {
    assert.equal(line.text, `begun ${index}`);
    break; // the trap is set
  }
  const result = await container.exec(['sh', '-c', `echo ${index}; exit ${(code + 1) % 256}`]);
  assert.deepEqual([result.stdout, result.exitCode], [`${index}\n`, (code + 1) % 256]);
  assert.equal((await container.stop({ timeoutMs: 30_000 })).exitCode, code);
  await container.remove();
}

const inodes = (footprint: Footprint): number => footprint.parts.file.length;

/** Without what the collector could free at once, where it can be asked (`node --expose-gc`). */
async function residentBytes(): Promise<number> {
  for (let count = 0; count < 3; count += 1) {
    (globalThis as { gc?: () => void }).gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const text = await readFile(join('/proc', String(process.pid), 'smaps_rollup'), 'utf8');
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024;
}

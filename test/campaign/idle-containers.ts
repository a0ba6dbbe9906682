import assert from 'node:assert/strict';
import { type Container, Engine } from 'tscontainer';
import { openEngineLab } from '../helpers/engine-lab.js';

export interface IdleContainersReport {
  readonly containers: number;
  /** Median of ten. */
  readonly firstStartMs: number;
  readonly lastStartMs: number;
  /** Median of five. */
  readonly listMs: number;
  /** Of the heap and what it refers to outside, without what was collected. */
  readonly bytesPerContainer: number;
}

/** Starts containers that do nothing, one after the other, and measures what each costs the engine. */
export async function idleContainers(count: number): Promise<IdleContainersReport> {
  await using lab = await openEngineLab();
  const image = lab.image();
  const start = async (): Promise<{ readonly container: Container; readonly ms: number }> => {
    const started = performance.now();
    const container = await lab.engine.containers.create({ image, command: ['sleep', '100000'], network: 'none' });
    await container.start();
    return { container, ms: performance.now() - started };
  };
  for (let warm = 0; warm < 10; warm += 1) await (await start()).container.remove({ force: true });
  const before = heldBytes();
  const starts: number[] = [];
  for (let index = 0; index < count; index += 1) starts.push((await start()).ms);
  const bytesPerContainer = (heldBytes() - before) / count;
  const lists: number[] = [];
  for (let index = 0; index < 5; index += 1) {
    const started = performance.now();
    assert.equal((await lab.engine.containers.list()).length, count);
    lists.push(performance.now() - started);
  }
  await using other = await Engine.open(lab.options);
  const all = await other.containers.list();
  assert.equal(all.filter(({ status }) => status === 'running').length, count);
  await Promise.all((await lab.engine.containers.list()).map((each) => each.remove({ force: true })));
  return {
    containers: count,
    firstStartMs: median(starts.slice(0, 10)),
    lastStartMs: median(starts.slice(-10)),
    listMs: median(lists),
    bytesPerContainer,
  };
}

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;

function heldBytes(): number {
  for (let count = 0; count < 3; count += 1) (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

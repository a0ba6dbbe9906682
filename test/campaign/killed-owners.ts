import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Container, Engine } from 'tscontainer';
import { type EngineLab, openEngineLab } from '../helpers/engine-lab.js';
import {
  type Footprint,
  footprint,
  footprintDifferences,
  settledFootprint,
  waitForSameFootprint,
} from '../helpers/footprint.js';
import { seededRandom } from '../helpers/random.js';

export interface KilledOwnersOptions {
  readonly seed: number;
  readonly moments: number;
  readonly onMoment?: (text: string) => void;
}

export interface KilledOwnersReport {
  readonly moments: number;
  /** The longest time from the kill until no process of the owner's containers was left. */
  readonly slowestMs: number;
}

/** Owned containers must be gone by then. */
const GONE_MS = 1_000;
const actions = ['start', 'exec', 'stop', 'start detached'] as const;
const program = fileURLToPath(new URL('owner-at-work.js', import.meta.url));

/**
 * Kills a process that starts, executes and stops at random moments. Nothing that runs is left of it a second later, and
 * nothing at all after the next engine was opened; a detached container that was there before notices nothing.
 */
export async function killedOwners(options: KilledOwnersOptions): Promise<KilledOwnersReport> {
  const random = seededRandom(options.seed);
  await using lab = await openEngineLab();
  const image = lab.image();
  const witness = await lab.engine.containers.create({ image, command: ['sleep', '100000'], lifetime: 'detached' });
  await witness.start();
  await lab.engine.run(image, ['true']); // whatever is made once, like the network, is there
  const files = [lab.options.root, lab.options.runRoot].map((each) => join(each, 'containers'));
  const before = await settledFootprint({ roots: files }, 1);
  let slowestMs = 0;
  for (let moment = 0; moment < options.moments; moment += 1) {
    const action = actions[moment % actions.length] as (typeof actions)[number];
    const waitMs = random.below(60_000) / 1000 + (action === 'exec' || action === 'stop' ? 20 : 0);
    const what = `moment ${moment} of seed ${options.seed}: ${action}, ${waitMs} ms`;
    await workAndBeKilled(lab, action, image, waitMs);
    const goneMs = action === 'start detached' ? 0 : await untilGone(before, what);
    slowestMs = Math.max(slowestMs, goneMs);
    await openAndRepair(lab, witness);
    assert.deepEqual(await waitForSameFootprint(before, 5_000), [], what);
    assert.equal((await witness.exec(['echo', 'here'])).stdout, 'here\n', what);
    options.onMoment?.(`${what}: gone after ${goneMs.toFixed()} ms`);
  }
  await witness.remove({ force: true });
  return { moments: options.moments, slowestMs };
}

async function workAndBeKilled(lab: EngineLab, action: string, image: string, waitMs: number): Promise<void> {
  const child = spawn(process.execPath, [program, JSON.stringify(lab.options), action, image], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'exit');
  const first = await Promise.race([once(child.stdout, 'data'), closed]);
  assert.match(String(first[0]), /ready/, 'it ended before it was killed');
  await delay(waitMs);
  child.kill('SIGKILL');
  await closed;
}

/** Processes alone: what else is left is the next engine's to remove. */
async function untilGone(before: Footprint, what: string): Promise<number> {
  const killed = performance.now();
  const { process: processes } = before.parts;
  const others = ['mount', 'network interface', 'firewall', 'cgroup', 'file descriptor', 'listening socket'] as const;
  const expected: Footprint = {
    parts: { ...(await footprint({ except: [...others, 'process'] })).parts, process: processes },
    options: { except: others },
  };
  let left = await waitForSameFootprint(expected, GONE_MS);
  const elapsed = performance.now() - killed;
  // A look takes time itself: one more, when the last began before the time was over.
  if (left.length > 0) left = footprintDifferences(expected, await footprint(expected.options));
  assert.deepEqual(left, [], `${what}: still there after ${elapsed.toFixed()} ms`);
  return elapsed;
}

/** What a killed owner has detached is for everybody to remove; the rest must be gone by opening an engine alone. */
async function openAndRepair(lab: EngineLab, witness: Container): Promise<void> {
  await using engine = await Engine.open(lab.options);
  for (const container of await engine.containers.list()) {
    if (container.id === witness.id) continue;
    assert.equal(container.labels['lifetime'], 'detached', 'what was owned is gone');
    await container.remove({ force: true });
  }
}

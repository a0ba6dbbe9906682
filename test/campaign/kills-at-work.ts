import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Container, Engine, EngineError } from 'tscontainer';
import { startDockerRegistry } from '../helpers/docker-registry.js';
import { type EngineLab, openEngineLab } from '../helpers/engine-lab.js';
import { settledFootprint, waitForSameFootprint } from '../helpers/footprint.js';
import { type Random, seededRandom } from '../helpers/random.js';

export interface KillsAtWorkOptions {
  readonly seed: number;
  readonly moments: number;
  readonly onMoment?: (text: string) => void;
}

export interface KillsAtWorkReport {
  readonly moments: number;
  readonly enginesKilled: number;
  readonly shimsKilled: number;
  /** Of the shims' kills: how often an operation has failed with which code. */
  readonly failures: Readonly<Record<string, number>>;
}

const actions = ['create', 'start', 'exec', 'run', 'commit', 'copy', 'push', 'stop'] as const;
const program = fileURLToPath(new URL('worker-at-work.js', import.meta.url));
const LONGEST_MS = 150;

/**
 * Kills an engine, or a shim of it, at random moments of all that an engine does. After each a new engine works, what ran
 * elsewhere runs on, once, and when everything was removed the machine is as before.
 */
export async function killsAtWork(options: KillsAtWorkOptions): Promise<KillsAtWorkReport> {
  const random = seededRandom(options.seed);
  await using registry = await startDockerRegistry();
  await using lab = await openEngineLab();
  const image = lab.image();
  const witness = await lab.engine.containers.create({ image, command: ['sleep', '100000'], lifetime: 'detached' });
  await witness.start();
  await lab.engine.run(image, ['true']); // whatever is made once, like the network, is there
  const { pid } = await witness.inspect();
  const roots = [lab.options.root, lab.options.runRoot].map((each) => join(each, 'containers'));
  const before = await settledFootprint({ roots, except: ['file descriptor'] }, 1);
  const report = { moments: options.moments, enginesKilled: 0, shimsKilled: 0, failures: {} as Record<string, number> };
  for (let moment = 0; moment < options.moments; moment += 1) {
    const action = actions[moment % actions.length] as (typeof actions)[number];
    const victim = random.below(2) === 0 ? 'engine' : 'shim';
    const waitMs = random.below(LONGEST_MS * 1000) / 1000;
    const what = `moment ${moment} of seed ${options.seed}: ${victim} killed ${waitMs} ms into ${action}`;
    const work = await startWork(lab, action, image, registry.host);
    await delay(waitMs);
    const said = victim === 'engine' ? await work.kill() : await work.killShim(random);
    report[victim === 'engine' ? 'enginesKilled' : 'shimsKilled'] += 1;
    for (const line of said.filter((each) => each.startsWith('FAILED'))) {
      const code = line.split(' ')[1] ?? '';
      report.failures[code] = (report.failures[code] ?? 0) + 1;
    }
    options.onMoment?.(`${what}${said.length > 1 ? `: ${said.slice(1).join('; ')}` : ''}`);
    assert.deepEqual(
      said.filter((each) => each.startsWith('WRONG')),
      [],
      what,
    );
    await removeTheRest(lab, image, witness, what);
    assert.deepEqual(await waitForSameFootprint(before, 5_000), [], what);
    assert.equal((await witness.inspect()).pid, pid, what);
    assert.equal((await witness.exec(['sh', '-c', 'echo here; exit 4'])).exitCode, 4, what);
  }
  await witness.remove({ force: true });
  return report;
}

interface Work {
  /** Both resolve with what it has said, a line each. */
  kill(): Promise<readonly string[]>;
  killShim(random: Random): Promise<readonly string[]>;
}

async function startWork(lab: EngineLab, action: string, image: string, registry: string): Promise<Work> {
  const child = spawn(process.execPath, [program, JSON.stringify(lab.options), action, image, registry], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.on('error', () => undefined); // it was killed
  const closed = once(child, 'close');
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  await Promise.race([once(reader, 'line'), closed]);
  assert.equal(lines[0], 'ready', 'it ended before it was killed');
  return {
    kill: async () => {
      child.kill('SIGKILL');
      await closed;
      return lines;
    },
    killShim: async (random) => {
      child.stdin.end();
      const shims = await shimsBelow(child.pid ?? 0);
      if (shims.length > 0) killIfThere(random.pick(shims));
      const [exitCode, signal] = await closed;
      if (exitCode !== 0) lines.push(`WRONG it has ended with ${exitCode} ${signal}`);
      return lines;
    },
  };
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function shimsBelow(parent: number): Promise<number[]> {
  const found: number[] = [];
  const tasks = await readdir(`/proc/${parent}/task`).catch(() => []);
  for (const task of tasks) {
    const children = await readFile(`/proc/${parent}/task/${task}/children`, 'utf8').catch(() => '');
    for (const pid of children.split(' ').filter(Boolean).map(Number)) {
      const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
      if (name.startsWith('tscontainer')) found.push(pid, ...(await shimsBelow(pid)));
    }
  }
  return found;
}

/** A new engine works; what was owned is gone by opening it; what was detached is found, once, and can be removed. */
async function removeTheRest(lab: EngineLab, image: string, witness: Container, what: string): Promise<void> {
  await using engine = await Engine.open(lab.options);
  assert.deepEqual(await engine.containers.damaged(), [], what);
  const others = (await engine.containers.list()).filter(({ id }) => id !== witness.id);
  assert.ok(others.length <= 1, what);
  for (const container of others) {
    const { pid } = await container.inspect();
    if (container.status === 'running') {
      assert.ok(pid !== undefined && pid > 0, what);
      assert.equal((await container.exec(['sh', '-c', 'exit 6'])).exitCode, 6, what);
    }
    await container.remove({ force: true });
  }
  assert.equal((await engine.run(image, ['sh', '-c', 'exit 9'])).exitCode, 9, what);
  for (const each of await engine.images.list()) {
    for (const name of each.names)
      if (/committed-|pushed-/.test(name))
        await engine.images.remove(name, { force: true }).catch((error: unknown) => {
          if (!EngineError.is(error, 'NO_SUCH_IMAGE')) throw error;
        });
  }
}

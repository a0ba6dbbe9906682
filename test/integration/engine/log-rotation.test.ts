import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Container, LogFileOptions } from 'tscontainer';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { supervisorOf } from '../../helpers/supervisor.js';

const patience = { timeout: 120_000 };
const LINES = 60_000;
/** Numbered lines of 100 characters, as fast as they come. */
const count = (lines: number): string => `awk 'BEGIN { for (i = 1; i <= ${lines}; i++) printf "%0100d\\n", i }'`;

describe('a log that is rotated', () => {
  let lab: EngineLab;
  let image: string;

  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
  });
  after(() => lab[Symbol.asyncDispose]());

  const create = (script: string, options: object = {}) =>
    lab.engine.containers.create({ image, command: ['sh', '-c', script], network: 'none', ...options });
  const files = (id: string): string[] => {
    const directory = join(lab.options.root, 'containers', id);
    return readdirSync(directory)
      .filter((name) => name.startsWith('log.'))
      .map((name) => join(directory, name));
  };

  /** A container that prints so many lines when it is told to. */
  const counting = (lines: number, log: LogFileOptions) =>
    create(`echo ready; read -r _; ${count(lines)}; read -r _`, { openStdin: true, log });

  /** Starts it, and lets it print once these read its log. */
  async function printFor(container: Container, ...readers: readonly (() => Promise<void>)[]): Promise<void> {
    const attached = await container.attach({ stdout: false, whenSlow: 'block' });
    await container.start();
    for await (const { text } of container.logs({ follow: true })) if (text === 'ready') break;
    const reading = readers.map((each) => each());
    await new Promise((resolve) => setImmediate(resolve));
    attached.stdin?.write('\n\n');
    await Promise.all(reading);
    await attached.wait();
  }

  const readAll = (container: Container, lines: number, pauseEvery: number) => async (): Promise<void> => {
    let next = 0;
    for await (const { text, partial } of container.logs({ follow: true })) {
      assert.equal(text === 'ready' ? 0 : Number(text), next, 'each once, and in order');
      assert.ok(!partial);
      next += 1;
      if (next % pauseEvery === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    assert.equal(next - 1, lines);
  };

  test('a follower sees every line once, over a hundred rotations at full speed', patience, async () => {
    const container = await counting(LINES * 2, { maxBytes: '128k', maxFiles: 2 });
    await printFor(container, readAll(container, LINES * 2, Number.POSITIVE_INFINITY));
    const kept = files(container.id);
    assert.ok(kept.length <= 2 + 512, `${kept.length} files`);
    for (const path of kept) assert.ok(statSync(path).size <= 128 * 1024, path);
    await container.remove();
  });

  test('several followers, slow ones too, see the same', patience, async () => {
    const container = await counting(LINES / 2, { maxBytes: '128k', maxFiles: 1 });
    const readers = [500, 5000, Number.POSITIVE_INFINITY].map((pause) => readAll(container, LINES / 2, pause));
    await printFor(container, ...readers);
    await container.remove();
  });

  test('what a follower has held goes with the next rotation, or the next start', patience, async () => {
    const container = await counting(LINES / 2, { maxBytes: '128k', maxFiles: 2 });
    const lines = container.logs({ follow: true })[Symbol.asyncIterator]();
    await printFor(container, async () => void (await lines.next()));
    assert.ok(files(container.id).length > 10, 'held for the one who reads');
    await lines.return?.();
    await container.start();
    assert.equal(files(container.id).length, 2);
    await container.remove({ force: true });
  });

  test('a follower that stands still holds up no more than a bounded number of files', patience, async () => {
    const container = await counting(LINES * 15, { maxBytes: '128k', maxFiles: 1 });
    const lost: number[] = [];
    const onLost = (bytes: number): void => void lost.push(bytes);
    const standing = container.logs({ follow: true, onLost })[Symbol.asyncIterator]();
    await printFor(container, async () => void (await standing.next()));
    assert.ok(files(container.id).length <= 1 + 512 + 1, `${files(container.id).length} files`);
    let last = '';
    for (let next = await standing.next(); next.done !== true; next = await standing.next()) last = next.value.text;
    assert.equal(Number(last), LINES * 15);
    assert.ok(lost.length === 1 && (lost[0] ?? 0) > 1_000_000, 'it is told how much it has missed');
    await container.remove();
  });

  test('a supervisor that was killed leaves a log that the next run goes on with', patience, async () => {
    const container = await create('echo one; echo two; exec sleep 1000', { lifetime: 'detached' });
    for (let round = 0; round < 2; round++) {
      await container.start();
      let seen = 0;
      for await (const { text } of container.logs({ follow: true })) if (text === 'two' && seen++ === round) break;
      process.kill(supervisorOf(lab.options.runRoot, container.id), 'SIGKILL');
      await container.wait();
    }
    const texts: string[] = [];
    for await (const { text } of container.logs({ follow: true })) texts.push(text);
    assert.deepEqual(texts, ['one', 'two', 'one', 'two']);
    const [only = ''] = files(container.id);
    assert.ok(existsSync(only) && files(container.id).length === 1);
    await container.remove();
  });
});

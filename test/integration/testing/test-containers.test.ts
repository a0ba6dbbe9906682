import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testContainers } from 'tscontainer/testing';
import { type EngineLab, openEngineLab } from '../../helpers/engine-lab.js';
import { eventually } from '../../helpers/eventually.js';

const suite = fileURLToPath(new URL('../../helpers/kit-suite.js', import.meta.url));

describe('containers of tests', () => {
  let lab: EngineLab;
  let image: string;

  before(async () => {
    lab = await openEngineLab();
    image = lab.image();
    await lab.engine.images.pull(image);
  });
  after(() => lab[Symbol.asyncDispose]());

  /** A test runner in a process of its own. */
  const startRunner = (mode: 'pass' | 'hang'): ChildProcess => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env; // else it would speak the language of a runner's child
    const given = JSON.stringify({ engine: lab.options, image, mode });
    return spawn(process.execPath, [suite, given], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  };

  const runToEnd = async (child: ChildProcess): Promise<{ readonly code: number; readonly output: string }> => {
    let output = '';
    child.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    const [code] = await once(child, 'close');
    return { code, output };
  };

  test('go with their tests, with twenty processes on one root at a time', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, () => runToEnd(startRunner('pass'))));
    for (const { code, output } of results) assert.equal(code, 0, output);
    assert.deepEqual(await lab.engine.containers.list(), []);
  });

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    test(`leave nothing when the runner gets ${signal}`, async () => {
      const child = startRunner('hang');
      const closed = once(child, 'close');
      const pids = await new Promise<number[]>((resolve, reject) => {
        createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
          const found = /hanging (.*)/.exec(line)?.[1];
          if (found !== undefined) resolve(JSON.parse(found));
        });
        closed.then(() => reject(new Error('the runner has ended')), reject);
      });
      assert.equal(pids.length, 2);
      child.kill(signal);
      await closed;
      await eventually('the containers have ended', () => pids.every((pid) => !existsSync(`/proc/${pid}`)));
    });
  }

  test('are refused before the first test, and without hooks', () => {
    const hook = (): void => undefined;
    const hooks = { beforeAll: hook, beforeEach: hook, afterEach: hook, afterAll: hook };
    assert.throws(() => testContainers(hooks).engine, { code: 'CLOSED' });
    assert.throws(() => testContainers({ ...hooks, afterAll: undefined as never }), { code: 'INVALID_OPTION' });
  });
});

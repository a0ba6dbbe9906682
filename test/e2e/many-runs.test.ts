import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { settledFootprint, waitForSameFootprint } from '../helpers/footprint.js';
import { openEngine, type TestEngine } from '../helpers/open-engine.js';

/** Writes a known text of SIZE bytes to both streams and ends with CODE. */
const SCRIPT = `
  const [size, code] = process.argv.slice(1).map(Number);
  process.stdout.write('o'.repeat(size), () => process.stderr.write('e'.repeat(size), () => process.exit(code)));
`;

describe('many runs', () => {
  let opened: TestEngine;

  before(async () => {
    opened = await openEngine();
    await opened.engine.images.fromHost({ binaries: ['sh', process.execPath], tag: 'tools' });
  });
  after(() => opened[Symbol.asyncDispose]());

  const runOnce = async (index: number, network: 'none' | 'bridge'): Promise<void> => {
    const code = index % 256;
    const size = (index * 7919) % 20_000;
    const script = `i=0; exec 3>&1; head=$(printf '%0${Math.max(size, 1)}d' 0); printf %s "$head"; printf %s "$head" >&2; exit ${code}`;
    const result = await opened.engine.run('tools', ['sh', '-c', script], { network });
    const expected = '0'.repeat(Math.max(size, 1));
    assert.equal(result.exitCode, code);
    assert.equal(result.stdout.length, expected.length);
    assert.equal(result.stdout, expected);
    assert.equal(result.stderr, expected);
  };

  test('200 in a row: every exit code and every byte is right, and the machine is as before', async () => {
    await runOnce(0, 'bridge'); // from here on the network is there
    const before = await settledFootprint({ roots: [opened.root, opened.runRoot] });
    for (let index = 0; index < 200; index += 1) await runOnce(index, index % 2 === 0 ? 'none' : 'bridge');
    assert.deepEqual(await waitForSameFootprint(before), []);
  });

  test('50 at once: the same', async () => {
    const before = await settledFootprint({ roots: [opened.root, opened.runRoot] });
    await Promise.all(Array.from({ length: 50 }, (_, index) => runOnce(index, index % 2 === 0 ? 'none' : 'bridge')));
    assert.deepEqual(await waitForSameFootprint(before), []);
  });

  test('a megabyte on both streams at once arrives whole', async () => {
    const size = 1024 * 1024;
    const result = await opened.engine.run('tools', [process.execPath, '-e', SCRIPT, String(size), '9'], {
      network: 'none',
    });
    assert.equal(result.exitCode, 9);
    assert.equal(result.stdout, 'o'.repeat(size));
    assert.equal(result.stderr, 'e'.repeat(size));
  });
});

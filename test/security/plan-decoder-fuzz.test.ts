import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withDirectory } from '../helpers/layer-fixtures.js';

const run = promisify(execFile);
const native = fileURLToPath(new URL('../../../native/', import.meta.url));
const mutations = 1_500_000;

/** plan.c is part of the fuzz target itself; the operations bring the rest of the shim with them. */
async function sources(): Promise<string[]> {
  const names = await readdir(join(native, 'src'));
  return names.filter((name) => name.endsWith('.c') && name !== 'main.c' && name !== 'plan.c').sort();
}

test('the decoder of launch plans stays within its memory for broken plans (CVE-2021-43784), under sanitizers', () =>
  withDirectory(async (directory) => {
    const program = join(directory, 'plan-fuzz');
    const corpus = join(native, 'test', 'corpus', 'plan');
    const seeds = (await readdir(corpus)).sort().map((name) => join(corpus, name));
    assert.ok(seeds.length >= 5, 'the corpus is there');
    const files = [join(native, 'test', 'plan-fuzz.c'), ...(await sources()).map((name) => join(native, 'src', name))];
    const sanitize = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
    await run('gcc', ['-std=gnu17', '-O1', '-g', '-DPLAN_FUZZ_MAIN', ...sanitize, ...files, '-o', program]);
    const { stdout, stderr } = await run(program, [String(Math.round(mutations / seeds.length)), ...seeds]);
    assert.equal(stderr, '');
    assert.match(stdout, /^[1-9]\d* accepted, [1-9]\d{3,} refused$/m);
  }));

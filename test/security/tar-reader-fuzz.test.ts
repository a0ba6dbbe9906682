import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withDirectory } from '../helpers/layer-fixtures.js';
import { tarCorpus } from '../helpers/tar-corpus.js';

const run = promisify(execFile);
const native = fileURLToPath(new URL('../../../native/', import.meta.url));
const sources = [
  'src/tar-header.c',
  'src/tar-pax.c',
  'src/tar-sparse.c',
  'src/tar-reader.c',
  'src/layer-names.c',
  'src/base.c',
];
const mutationsPerSeed = 20_000;

test('the archive reader stays within its memory for broken archives (address and undefined behaviour sanitizers)', () =>
  withDirectory(async (directory) => {
    const program = join(directory, 'tar-fuzz');
    const files = ['test/tar-fuzz.c', ...sources].map((path) => join(native, path));
    const sanitize = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
    await run('gcc', ['-std=gnu17', '-O1', '-g', '-DTAR_FUZZ_MAIN', ...sanitize, ...files, '-o', program]);
    const seeds: string[] = [];
    for (const [name, archive] of Object.entries(tarCorpus)) {
      seeds.push(join(directory, name));
      await writeFile(join(directory, name), archive);
    }
    const { stderr } = await run(program, [String(mutationsPerSeed), ...seeds]);
    assert.equal(stderr, '');
  }));

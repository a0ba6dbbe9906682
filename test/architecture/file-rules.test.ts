import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { repository, sourceFiles } from './source-files.js';

const longest = 400;
const vague = /^(utils?|helpers?|types?|common|misc|shared|constants)\./;

const typescript = ['lib', 'test', 'examples']
  .filter((folder) => existsSync(join(repository, folder)))
  .flatMap(sourceFiles);
const native = readdirSync(join(repository, 'native', 'src')).map((name) => ({
  path: `native/src/${name}`,
  lines: readFileSync(join(repository, 'native', 'src', name), 'utf8').split('\n'),
}));
const all = [...typescript, ...native];

test(`no file is longer than ${longest} lines`, () => {
  const wrong = all.filter((file) => file.lines.length - 1 > longest);
  assert.deepEqual(
    wrong.map((file) => `${file.path}: ${file.lines.length - 1} lines`),
    [],
  );
});

test('no file is named after nothing in particular', () => {
  const wrong = all.filter((file) => vague.test(basename(file.path)));
  assert.deepEqual(
    wrong.map((file) => file.path),
    [],
  );
});

test('file names are lower case words joined by hyphens', () => {
  const wrong = typescript.filter((file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/.test(basename(file.path)));
  assert.deepEqual(
    wrong.map((file) => file.path),
    [],
  );
});

test('no test is switched off or singled out', () => {
  const pattern = /\b(test|it|describe|suite)\.(only|skip|todo)\s*\(|\.skip\(\)|\b(only|skip|todo):\s*true\b/;
  const wrong = typescript
    .filter((file) => file.path.endsWith('.test.ts') && !exemptFromSkipRule.includes(file.path))
    .flatMap((file) =>
      file.lines.flatMap((line, at) => (pattern.test(line) ? [`${file.path}:${at + 1}: ${line.trim()}`] : [])),
    );
  assert.deepEqual(wrong, []);
});

/** These hold samples of such tests as text. */
const exemptFromSkipRule = ['test/unit/tooling/run.test.ts', 'test/architecture/file-rules.test.ts'];

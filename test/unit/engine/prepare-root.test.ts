import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { prepareRoot } from '#lib/engine/prepare-root.js';
import { scopedDirectory } from '../../helpers/scoped-directory.js';

test('makes what is missing, with rights for nobody else', async (context) => {
  const base = await scopedDirectory(context);
  const layout = prepareRoot({ root: join(base, 'a', 'root'), runRoot: join(base, 'b', 'run') });
  const modes = [layout.root, layout.run, layout.containers(), layout.names(), layout.locks(), layout.rootTarget()];
  assert.deepEqual(
    modes.map((path) => (statSync(path).mode & 0o777).toString(8)),
    ['711', '700', '711', '700', '700', '700'],
  );
  assert.equal(readFileSync(join(layout.root, 'version'), 'utf8'), '1\n');
});

test('a second time changes nothing', async (context) => {
  const base = await scopedDirectory(context);
  const options = { root: join(base, 'root'), runRoot: join(base, 'run') };
  const layout = prepareRoot(options);
  writeFileSync(join(layout.names(), 'web'), 'id');
  mkdirSync(layout.runContainer('x'));
  prepareRoot(options);
  assert.ok(existsSync(join(layout.names(), 'web')) && existsSync(layout.runContainer('x')));
});

test('a root of another version is refused untouched', async (context) => {
  const base = await scopedDirectory(context);
  for (const version of ['2', '0', '', 'x']) {
    writeFileSync(join(base, 'version'), `${version}\n`);
    assert.throws(
      () => prepareRoot({ root: base, runRoot: join(base, 'run') }),
      (error) =>
        EngineError.is(error, 'UNKNOWN_VERSION') &&
        error.data.version === version &&
        error.data.supported === '1' &&
        error.data.path === join(base, 'version'),
    );
    assert.equal(readFileSync(join(base, 'version'), 'utf8'), `${version}\n`);
    assert.ok(!existsSync(join(base, 'run')) && !existsSync(join(base, 'containers')));
  }
});

test('what ran before a reboot does not run any more', async (context) => {
  const base = await scopedDirectory(context);
  const options = { root: join(base, 'root'), runRoot: join(base, 'run') };
  const layout = prepareRoot(options);
  mkdirSync(layout.runContainer('x'));
  writeFileSync(join(layout.run, 'boot-id'), 'another boot');
  mkdirSync(layout.container('x'));
  prepareRoot(options);
  assert.ok(!existsSync(layout.runContainer('x')));
  assert.ok(existsSync(layout.container('x')), 'what is durable stays');
});

test('relative paths are of the working directory, and each root has a run directory of its own', async (context) => {
  const base = await scopedDirectory(context);
  const before = process.cwd();
  process.chdir(base);
  try {
    const layout = prepareRoot({ root: 'here', runRoot: 'run' });
    assert.deepEqual([layout.root, layout.run], [join(process.cwd(), 'here'), join(process.cwd(), 'run')]);
  } finally {
    process.chdir(before);
  }
});

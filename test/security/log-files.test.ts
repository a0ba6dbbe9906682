import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EngineError } from 'tscontainer';
import { openEngineLab } from '../helpers/engine-lab.js';
import { runChecked } from '../helpers/run-checked.js';

// CVE-2026-53489: a log that is a link, left by whoever could write to the directory, makes the engine write elsewhere.
test('a link, a FIFO or a directory in the place of a log file is neither written to nor read', async () => {
  await using lab = await openEngineLab();
  const victim = join(lab.directory, 'victim');
  writeFileSync(victim, 'precious');
  const container = await lab.engine.containers.create({ image: lab.image(), command: ['echo', 'x'], network: 'none' });
  const path = join(lab.options.root, 'containers', container.id, 'log.0000000000000000');
  const places: Readonly<Record<string, () => Promise<unknown> | unknown>> = {
    link: () => symlinkSync(victim, path),
    'dangling link': () => symlinkSync(join(lab.directory, 'not-yet'), path),
    FIFO: () => runChecked('mkfifo', [path]),
    directory: () => mkdirSync(path),
  };
  for (const [what, make] of Object.entries(places)) {
    await make();
    await assert.rejects(container.start(), (error) => EngineError.is(error, 'LAUNCH_FAILED'), what);
    assert.equal(container.status, 'created');
    await assert.rejects(
      async () => {
        for await (const _ of container.logs());
      },
      (error) => EngineError.is(error, 'CORRUPT_RECORD'),
      what,
    );
    rmSync(path, { recursive: true });
  }
  assert.equal(readFileSync(victim, 'utf8'), 'precious');
  assert.deepEqual(readdirSync(lab.directory).sort(), ['root', 'run', 'victim']);
  await container.start();
  await container.wait();
  for await (const { text } of container.logs()) assert.equal(text, 'x', 'its honest twin');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await container.remove();
});

test('a link in the place of the next file keeps the log where it is, and the container running', async () => {
  await using lab = await openEngineLab();
  const victim = join(lab.directory, 'victim');
  writeFileSync(victim, 'precious');
  const container = await lab.engine.containers.create({
    image: lab.image(),
    command: ['sh', '-c', 'read -r _; head -c 400000 /dev/zero; echo; echo done'],
    network: 'none',
    openStdin: true,
    log: { maxBytes: '128k', maxFiles: 3 },
  });
  await container.start();
  const directory = join(lab.options.root, 'containers', container.id);
  // Whatever the size of the first file will be: all that it can be.
  const attached = await container.attach({ whenSlow: 'block' });
  for (let size = 65_536; size <= 128 * 1024; size++) {
    symlinkSync(victim, join(directory, `log.${size.toString(16).padStart(16, '0')}`));
  }
  attached.stdin?.end('\n');
  for await (const _ of attached.stdout ?? []);
  assert.equal((await container.wait()).exitCode, 0);
  assert.equal(readFileSync(victim, 'utf8'), 'precious');
  const written = statSync(join(directory, 'log.0000000000000000')).size;
  assert.ok(written > 0 && written <= 128 * 1024, `${written} bytes`);
  await container.remove();
});

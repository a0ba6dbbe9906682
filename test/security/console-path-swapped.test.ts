import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type OciLab, ociLab } from '../helpers/oci-bundle.js';
import { runWithOldRuntime } from '../helpers/old-runtime.js';

/**
 * A /dev that somebody else can write: its ptmx is that of a terminal file system elsewhere, and the path that the new
 * terminal seems to have, /dev/pts/0, is a link to a file that root alone may open.
 */
async function withForeignDev(context: TestContext): Promise<{ readonly lab: OciLab; readonly canary: string }> {
  const lab = await ociLab(context);
  const dev = await mkdtemp(join(tmpdir(), 'tsc-dev-'));
  context.after(() => rm(dev, { recursive: true }));
  const canary = join(lab.bundle, 'rootfs/canary');
  await writeFile(canary, 'untouched', { mode: 0o600 });
  for (const name of ['pts', 'other']) await mkdir(join(dev, name));
  for (const name of ['console', 'null', 'tty']) await writeFile(join(dev, name), '');
  await symlink('other/ptmx', join(dev, 'ptmx'));
  await symlink('/canary', join(dev, 'pts/0'));
  await lab.configure(['sh', '-c', 'tty; stat -c %F /dev/console'], (config) => {
    config.process['terminal'] = true;
    config.mounts = [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'bind', source: dev, options: ['rbind'] },
      { destination: '/dev/other', type: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666'] },
    ];
  });
  return { lab, canary };
}

// CVE-2025-52565: the other side of a terminal is opened by its path, and what is found there becomes the console.
test('the terminal is not looked for by a path that others can change', async (context) => {
  const { lab, canary } = await withForeignDev(context);
  const { exitCode, stdout } = await lab.ociWith({ terminal: true }, 'run', 'x');
  assert.notEqual(exitCode, 0);
  assert.match(stdout, /terminal: openat2 \/dev\/pts\/ptmx: ENOENT/);
  assert.equal(await readFile(canary, 'utf8'), 'untouched');
});

test('runc 1.1.5 opens what the path leads to, and takes it for the terminal', async (context) => {
  const { lab } = await withForeignDev(context);
  const { stdout } = await runWithOldRuntime('runc', lab, [], { terminal: true });
  assert.match(
    stdout,
    /setctty.*inappropriate ioctl/i,
    'what it has opened, and mounted on /dev/console, is no terminal',
  );
});

test('a terminal of the container’s own file system is its console', async (context) => {
  const lab = await ociLab(context);
  await lab.configure(['sh', '-c', 'tty; stat -c "%F %t" /dev/console /dev/pts/0'], (config) => {
    config.process['terminal'] = true;
  });
  const { stdout } = await lab.ociWith({ terminal: true }, 'run', 'x');
  const device = 'character special file 88'; // major number 136: a pseudo-terminal
  assert.deepEqual(stdout.trim().split(/[\r\n]+/), ['/dev/pts/0', device, device]);
});

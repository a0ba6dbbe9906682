import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { file } from '../helpers/busybox-layer.js';
import { compileProbe } from '../helpers/compile-probe.js';
import { openEngineLab } from '../helpers/engine-lab.js';
import { type OciLab, ociLab } from '../helpers/oci-bundle.js';
import { runWithOldRuntime } from '../helpers/old-runtime.js';
import { rejection } from '../helpers/rejection.js';
import { runChecked } from '../helpers/run-checked.js';
import { slowed } from '../helpers/run-to-exit.js';
import { scopedDirectory } from '../helpers/scoped-directory.js';

const offline = { network: 'none' } as const;

// CVE-2025-31133: masks are binds of /dev/null; one that was swapped for a link makes what it leads to writable.
test('a /dev with another null is refused', async () => {
  await using lab = await openEngineLab();
  const image = lab.image();
  const pattern = await readFile('/proc/sys/kernel/core_pattern', 'utf8');
  const device = join(lab.directory, 'dev');
  await mkdir(device);
  await symlink('/proc/sys/kernel/core_pattern', join(device, 'null'));
  const mounts = [{ type: 'bind', source: device, target: '/dev' } as const];
  const error = await rejection(lab.engine.run(image, ['true'], { ...offline, mounts }), 'LAUNCH_FAILED');
  assert.ok(error.data.operand.includes('/dev/null'), error.message);
  assert.equal(await readFile('/proc/sys/kernel/core_pattern', 'utf8'), pattern);
  assert.equal((await stat('/proc/sys/kernel/core_pattern')).mode & 0o7777, 0o644);
});

test('masked files are the null device, and /dev/null works', async () => {
  await using lab = await openEngineLab();
  const files = ['/proc/kcore', '/proc/keys', '/proc/interrupts', '/dev/null'].filter((path) => existsSync(path));
  const script = `stat -c "%t:%T" ${files.join(' ')} && echo x >/dev/null && cat /dev/null`;
  const { stdout, exitCode } = await lab.engine.run(lab.image(), ['sh', '-c', script], offline);
  assert.deepEqual({ stdout, exitCode }, { stdout: files.map(() => '1:3\n').join(''), exitCode: 0 });
});

/** Hidden in every container, and there on every kernel. */
const masked = '/proc/interrupts';

/** A bundle with a /dev that others can write, and a program that shows what hides a file of the kernel. */
async function withSharedDev(context: TestContext): Promise<{ readonly lab: OciLab; readonly device: string }> {
  const device = await scopedDirectory(context);
  const lab = await ociLab(context);
  await lab.configure(['sh', '-c', `stat -c %t:%T ${masked}; cat ${masked}`], (config) => {
    config.linux['maskedPaths'] = [masked];
    config.mounts = [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'bind', source: device, options: ['rbind'] },
    ];
  });
  return { lab, device };
}

test('a null that a neighbour swaps for a link hides what it should, or the start fails', async (context) => {
  await using engine = await openEngineLab();
  const { lab, device } = await withSharedDev(context);
  await runChecked('mknod', ['-m', '666', join(device, 'null'), 'c', '1', '3']);
  await symlink('/proc/sys/kernel/core_pattern', join(device, 'link'));
  const neighbour = await engine.engine.containers.create({
    image: engine.image([file('probe', await compileProbe('attack-probe'), 0o755)]),
    command: ['/probe', 'swap', '/shared/null', '/shared/link'],
    mounts: [{ type: 'bind', source: device, target: '/shared' }],
    ...offline,
  });
  await neighbour.start();
  for await (const line of neighbour.logs({ follow: true })) if (line.text === 'ready') break;
  const prefix = slowed(['openat2', 'open_tree', 'move_mount', 'fstat', 'newfstatat'], 2);
  const ends = { hidden: 0, refused: 0 };
  const isOneSided = (): boolean => ends.hidden === 0 || ends.refused === 0;
  for (let attempt = 0; attempt < 8 || (attempt < 50 && isOneSided()); attempt += 1) {
    const { exitCode, stdout, stderr } = await lab.ociWith({ prefix }, 'run', 'x');
    if (exitCode === 0) assert.equal(stdout, '1:3\n');
    else assert.match(stderr, /\/dev\/null/);
    ends[exitCode === 0 ? 'hidden' : 'refused'] += 1;
  }
  assert.ok(!isOneSided(), `the race is one: ${JSON.stringify(ends)}`);
  await neighbour.remove({ force: true });
});

test('runc 1.1.5 shows the file that the link leads to', async (context) => {
  const { lab, device } = await withSharedDev(context);
  await symlink('/proc/sys/kernel/core_pattern', join(device, 'null'));
  const { stdout } = await runWithOldRuntime('runc', lab);
  assert.equal(stdout, `0:0\n${await readFile('/proc/sys/kernel/core_pattern', 'utf8')}`);
});

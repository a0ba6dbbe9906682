import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEngineLab } from '../helpers/engine-lab.js';
import { rejection } from '../helpers/rejection.js';

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

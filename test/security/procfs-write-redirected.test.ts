import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type OciLab, ociLab } from '../helpers/oci-bundle.js';
import { runWithOldRuntime } from '../helpers/old-runtime.js';

const setting = '/proc/sys/net/ipv4/ip_default_ttl';

/**
 * A bundle with a sysctl whose file in the container's /proc is covered by a file of the host. The cover is a hook here:
 * a neighbour who shares mounts must win a race for it, the hook wins it each time.
 */
async function withCover(context: TestContext): Promise<{ readonly lab: OciLab; readonly canary: string }> {
  const lab = await ociLab(context);
  const canary = join(dirname(lab.bundle), 'canary');
  await writeFile(canary, 'untouched');
  const cover = `mount --bind ${canary} ${join(lab.bundle, 'rootfs')}${setting}`;
  await lab.configure(['sh', '-c', `cat /proc/self/mountinfo; cat ${setting}`], (config) => {
    config.linux['sysctl'] = { 'net.ipv4.ip_default_ttl': '77' };
    config.hooks = { createContainer: [{ path: '/bin/sh', args: ['sh', '-c', cover] }] };
  });
  return { lab, canary };
}

// CVE-2025-52881: what the runtime writes to /proc (labels, sysctls) goes through a mount to a file of somebody's choice.
test('a sysctl is not written through what covers its file in the container', async (context) => {
  const { lab, canary } = await withCover(context);
  const { stdout, stderr } = await lab.oci('run', 'x');
  assert.match(stdout, new RegExp(` ${setting} `), `the cover is there: ${stderr}`);
  assert.match(stdout, /untouched$/);
  assert.equal(await readFile(canary, 'utf8'), 'untouched');
});

test('nor through what has covered it from the beginning, and it has its value', async (context) => {
  const { lab, canary } = await withCover(context);
  const uncovered = setting.replace('/proc', '/tmp/proc');
  await lab.configure(['cat', setting, uncovered], (config) => {
    config.linux['sysctl'] = { 'net.ipv4.ip_default_ttl': '77' };
    config.mounts.push(
      { destination: setting, type: 'bind', source: canary, options: ['bind'] },
      { destination: '/tmp/proc', type: 'proc', source: 'proc' },
    );
  });
  const { stdout, stderr } = await lab.oci('run', 'x');
  assert.equal(stdout, 'untouched77\n', stderr);
  assert.equal(await readFile(canary, 'utf8'), 'untouched');
});

test('the place where labels are written cannot be mounted over', async (context) => {
  const { lab } = await withCover(context);
  for (const destination of ['/proc/self/attr', '/proc/thread-self/attr']) {
    await lab.configure(['true'], (config) => {
      config.mounts.push({ destination, type: 'tmpfs', source: 'tmpfs' });
    });
    const { exitCode, stderr } = await lab.oci('run', 'x');
    assert.notEqual(exitCode, 0);
    assert.match(stderr, /a symbolic link is refused here/);
  }
});

test('runc 1.1.5 writes the sysctl into the file that covers it', async (context) => {
  const { lab, canary } = await withCover(context);
  await runWithOldRuntime('runc', lab);
  assert.match(await readFile(canary, 'utf8'), /^77/);
});

test('a sysctl that nothing covers has its value', async (context) => {
  const lab = await ociLab(context);
  await lab.configure(['cat', setting], (config) => {
    config.linux['sysctl'] = { 'net.ipv4.ip_default_ttl': '77' };
  });
  assert.equal((await lab.oci('run', 'x')).stdout, '77\n');
});

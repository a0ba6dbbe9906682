import assert from 'node:assert/strict';
import { mkdir, readdir, rm, rmdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type LabConfig, type OciLab, ociLab } from '../helpers/oci-bundle.js';
import { runWithOldRuntime } from '../helpers/old-runtime.js';

interface Trap {
  readonly lab: OciLab;
  /** Where the link leads: a directory of the host. */
  readonly outside: string;
}

const withoutDevMounts = (config: LabConfig): void => {
  config.mounts = config.mounts.filter(({ destination }) => !String(destination).startsWith('/dev'));
};

/** A bundle whose /dev is a link to a directory of the host. */
async function trap(context: TestContext, change: (config: LabConfig) => void, target?: string): Promise<Trap> {
  const lab = await ociLab(context);
  const outside = join(dirname(lab.bundle), 'outside');
  await mkdir(outside);
  await lab.configure(['ls', '/dev'], (config) => {
    Object.assign(config, { root: { path: 'rootfs', readonly: false } });
    change(config);
  });
  await rmdir(join(lab.bundle, 'rootfs/dev'));
  await symlink(target ?? outside, join(lab.bundle, 'rootfs/dev'));
  return { lab, outside };
}

const targets = { 'an absolute link': undefined, 'a link that climbs': '../../outside' } as const;

// CVE-2026-41579 (runc), CVE-2026-47766 (crun): nodes and links of an image's /dev are made where its link leads.
for (const [name, target] of Object.entries(targets)) {
  for (const [mounts, change] of [
    ['a file system on /dev', () => undefined],
    ['nothing mounted on /dev', withoutDevMounts],
  ] as const) {
    test(`/dev as ${name}, with ${mounts}: nothing is made on the host`, async (context) => {
      const { lab, outside } = await trap(context, change, target);
      const { exitCode, stderr } = await lab.oci('run', 'x');
      assert.notEqual(exitCode, 0);
      assert.match(stderr, /\/dev/);
      assert.deepEqual(await readdir(outside), []);
    });
  }
}

test('runc 1.1.5 makes links on the host through it', async (context) => {
  const { lab, outside } = await trap(context, () => undefined);
  await runWithOldRuntime('runc', lab);
  assert.deepEqual((await readdir(outside)).sort(), ['fd', 'ptmx', 'stderr', 'stdin', 'stdout']);
});

test('crun 1.8.1 makes device nodes on the host through it', async (context) => {
  const { lab, outside } = await trap(context, withoutDevMounts);
  await runWithOldRuntime('crun', lab);
  const made = await readdir(outside);
  for (const node of ['null', 'zero', 'full', 'random', 'tty']) assert.ok(made.includes(node), node);
});

test('a real /dev gets its nodes, with and without a file system of its own', async (context) => {
  for (const change of [() => undefined, withoutDevMounts]) {
    const { lab } = await trap(context, change);
    await rm(join(lab.bundle, 'rootfs/dev'));
    await mkdir(join(lab.bundle, 'rootfs/dev'));
    const { stdout, stderr } = await lab.oci('run', 'x');
    for (const node of ['null', 'zero', 'full', 'random', 'tty'])
      assert.match(stdout, new RegExp(`^${node}$`, 'm'), stderr);
  }
});

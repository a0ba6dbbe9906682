import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LabConfig, ociLab } from '../helpers/oci-bundle.js';

/** Everything that a group offers for writing, and groups beside and above; prints what could be done. */
const attack = `
  for place in $(find /sys/fs/cgroup -type d); do
    mkdir $place/made && echo "made $place/made" && rmdir $place/made
    for file in tasks cgroup.procs; do echo 0 > $place/$file && echo "joined $place"; done
    for file in notify_on_release release_agent memory.limit_in_bytes memory.max pids.max cpu.shares cgroup.subtree_control; do
      [ -e $place/$file ] && echo 1 > $place/$file && echo "wrote $place/$file"
    done
  done 2>/dev/null
  exit 0`;

const mounts = {
  'mounted as cgroup, read-only as engines ask for it': {
    destination: '/sys/fs/cgroup',
    type: 'cgroup',
    source: 'cgroup',
    options: ['nosuid', 'noexec', 'nodev', 'ro'],
  },
  'bound from the host, with all below': {
    destination: '/sys/fs/cgroup',
    type: 'bind',
    source: '/sys/fs/cgroup',
    options: ['rbind', 'rro'],
  },
} as const;

/** Root of the namespace is root of the host, so that no file's owner protects it: only the mounts do. */
function withUsers(config: LabConfig, cgroupNamespace: boolean): void {
  const same = [{ containerID: 0, hostID: 0, size: 65_536 }];
  const others = config.linux.namespaces.filter(({ type }) => cgroupNamespace || type !== 'cgroup');
  Object.assign(config.linux, {
    namespaces: [...others, { type: 'user' }],
    uidMappings: same,
    gidMappings: same,
    cgroupsPath: '/tscontainer-test-users',
    resources: { memory: { limit: 64 * 1024 * 1024 }, pids: { limit: 50 } },
  });
  const all = ['CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_CHOWN', 'CAP_MKNOD'];
  config.process['capabilities'] = { bounding: all, effective: all, permitted: all };
}

// CVE-2023-25809: in a user namespace the groups of the host could be written where they were mounted without a namespace
// of their own.
for (const [name, mount] of Object.entries(mounts)) {
  for (const cgroupNamespace of [true, false]) {
    test(`groups ${name}, ${cgroupNamespace ? 'with' : 'without'} a cgroup namespace: none can be changed`, async (context) => {
      const lab = await ociLab(context);
      await lab.configure(['sh', '-c', attack], (config) => {
        withUsers(config, cgroupNamespace);
        config.mounts.push({ destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] }, mount);
      });
      const { exitCode, stdout, stderr } = await lab.oci('run', 'x');
      assert.deepEqual([exitCode, stdout], [0, ''], stderr);
    });
  }
}

test('the same attack changes groups that were asked for writable, and those are its own', async (context) => {
  const lab = await ociLab(context);
  await lab.configure(['sh', '-c', attack], (config) => {
    withUsers(config, true);
    const [mount] = Object.values(mounts);
    config.mounts.push(
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] },
      { ...mount, options: [] },
    );
  });
  const { stdout, stderr } = await lab.oci('run', 'x');
  assert.match(stdout, /^wrote \S+\/pids\.max$/m, stderr);
});

test('its own limits can be read', async (context) => {
  const lab = await ociLab(context);
  const show = 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes || cat /sys/fs/cgroup/memory.max';
  await lab.configure(['sh', '-c', show], (config) => {
    withUsers(config, true);
    const [mount] = Object.values(mounts);
    config.mounts.push({ destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] }, { ...mount });
  });
  const { stdout, stderr } = await lab.oci('run', 'x');
  assert.equal(stdout, `${64 * 1024 * 1024}\n`, stderr);
});

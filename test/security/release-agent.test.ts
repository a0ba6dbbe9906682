import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEngineLab } from '../helpers/engine-lab.js';

const offline = { network: 'none' } as const;

// CVE-2022-0492: whoever can mount a cgroup v1 hierarchy for writing lets the host run a program of his choice.
test('no cgroup hierarchy can be mounted or written, so that no release agent can be set', async () => {
  await using lab = await openEngineLab();
  const trace = join(lab.directory, 'escaped');
  const attack = `
    mkdir -p /c
    unshare -UrmC sh -c 'mount -t cgroup -o rdma cgroup /c' && echo broken: unshare
    unshare -m true && echo broken: namespace
    for h in memory pids devices freezer cpu; do
      mount -t cgroup -o $h cgroup /c && echo broken: mount $h
      mount -o remount,rw /sys/fs/cgroup/$h && echo broken: remount $h
      echo 'touch ${trace}' > /sys/fs/cgroup/$h/release_agent && echo broken: agent $h
      echo 1 > /sys/fs/cgroup/$h/notify_on_release && echo broken: notify $h
      mkdir /sys/fs/cgroup/$h/x && echo broken: mkdir $h
    done 2>/dev/null
    mount -t cgroup2 cgroup2 /c && echo broken: cgroup2
    exit 0`;
  for (const user of ['root', 'user']) {
    const { stdout } = await lab.engine.run(lab.image(), ['sh', '-c', attack], { ...offline, user });
    assert.equal(stdout, '', user);
  }
  assert.equal(existsSync(trace), false);

  const read = ['sh', '-c', 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes || cat /sys/fs/cgroup/memory.max'];
  const { stdout } = await lab.engine.run(lab.image(), read, { ...offline, memory: '64m' });
  assert.equal(stdout, `${64 * 1024 * 1024}\n`, 'its own limits can be read');
});

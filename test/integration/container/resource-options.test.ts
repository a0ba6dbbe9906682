import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { Container, ContainerOptions } from 'tscontainer';
import { isCgroupV2, readGroupFile } from '../../helpers/container-group.js';
import { type OptionsLab, openOptionsLab } from '../../helpers/options-lab.js';
import { rejection } from '../../helpers/rejection.js';

const MIB = 2 ** 20;
const v2 = isCgroupV2();
/** A disk of this machine, with its number. */
const disk = readdirSync('/dev')
  .filter((name) => /^(?:vd|sd)[a-z]$|^nvme\d+n1$|^ram0$/.test(name) && existsSync(`/sys/block/${name}/dev`))
  .map((name) => `/dev/${name}`)[0];

describe('resource options', () => {
  let options: OptionsLab;
  before(async () => {
    options = await openOptionsLab();
  });
  after(() => options[Symbol.asyncDispose]());

  /** A limit in the host's file, and in that which the container sees as its own. */
  async function limit(
    container: Container,
    v1: readonly [controller: string, file: string],
    file: string,
  ): Promise<string> {
    const host = await readGroupFile(container.id, [...v1], file);
    const path = v2 ? `/sys/fs/cgroup/${file}` : `/sys/fs/cgroup/${v1[0]}/${v1[1]}`;
    const inside = (await container.exec(['cat', path])).stdout.trim();
    assert.equal(inside, host.trim(), `${path} inside and outside`);
    return inside;
  }

  test('memory: limit, swap and reservation', async () => {
    await using container = await options.start({ memory: '64m', memorySwap: '64m', memoryReservation: '32m' });
    assert.equal(await limit(container, ['memory', 'memory.limit_in_bytes'], 'memory.max'), String(64 * MIB));
    const reservation = await limit(container, ['memory', 'memory.soft_limit_in_bytes'], 'memory.low');
    assert.equal(reservation, String(32 * MIB));
    await container.update({ memory: '96m', memorySwap: '96m' });
    assert.equal(await limit(container, ['memory', 'memory.limit_in_bytes'], 'memory.max'), String(96 * MIB));
  });

  test('memory on v1 alone: swappiness, and no killing for want of memory', async () => {
    const wanted = { memory: '64m', memorySwappiness: 0, oomKillDisable: true } as const;
    if (v2) {
      const error = await rejection(options.lab.engine.run(options.image, ['true'], wanted), 'CONTROLLER_MISSING');
      assert.equal(error.data.option, 'memorySwappiness');
      return;
    }
    await using container = await options.start(wanted);
    assert.equal(await limit(container, ['memory', 'memory.swappiness'], ''), '0');
    assert.match(await limit(container, ['memory', 'memory.oom_control'], ''), /^oom_kill_disable 1$/m);
    await container.update({ memorySwappiness: 33, oomKillDisable: false });
    assert.equal(await limit(container, ['memory', 'memory.swappiness'], ''), '33');
    assert.match(await limit(container, ['memory', 'memory.oom_control'], ''), /^oom_kill_disable 0$/m);
  });

  test('processor: shares, bandwidth, set', async () => {
    await using container = await options.start({ cpuShares: 512, cpus: 0.5, cpusetCpus: '0', cpusetMems: '0' });
    assert.equal(await limit(container, ['cpu', 'cpu.shares'], 'cpu.weight'), v2 ? '59' : '512');
    const bandwidth = await limit(container, ['cpu', 'cpu.cfs_quota_us'], 'cpu.max');
    assert.equal(bandwidth, v2 ? '50000 100000' : '50000');
    assert.equal(await limit(container, ['cpuset', 'cpuset.cpus'], 'cpuset.cpus'), '0');
    const seen = await options.seeIn(container, ['status:Cpus_allowed_list', 'status:Mems_allowed_list']);
    assert.deepEqual(Object.values(seen), ['0', '0']);
  });

  test('processes', async () => {
    await using container = await options.start({ pidsLimit: 7 });
    assert.equal(await limit(container, ['pids', 'pids.max'], 'pids.max'), '7');
    const crowd = 'for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done 2>&1; echo end';
    assert.match((await container.exec(['sh', '-c', crowd])).stdout, /can't fork/);
  });

  test('block devices: bytes and operations a second, changed and lifted', async () => {
    assert.ok(disk !== undefined, 'a disk');
    const rates = {
      blkioDeviceReadBps: [{ path: disk, rate: '10m' }],
      blkioDeviceWriteBps: [{ path: disk, rate: 5 * MIB }],
      blkioDeviceReadIops: [{ path: disk, rate: 1000 }],
      blkioDeviceWriteIops: [{ path: disk, rate: 500 }],
    };
    await using container = await options.start(rates);
    const { resources } = (await container.inspect()).config;
    const [{ major, minor } = { major: 0, minor: 0 }] = resources.blkioDeviceReadBps ?? [];
    const read = (file: string): Promise<string> =>
      limit(container, ['blkio', `blkio.throttle.${file}_device`], 'io.max');
    if (v2) {
      assert.equal(await read(''), `${major}:${minor} rbps=${10 * MIB} wbps=${5 * MIB} riops=1000 wiops=500`);
    } else {
      const all = await Promise.all(['read_bps', 'write_bps', 'read_iops', 'write_iops'].map(read));
      assert.deepEqual(
        all,
        [10 * MIB, 5 * MIB, 1000, 500].map((value) => `${major}:${minor} ${value}`),
      );
    }
    await container.update({ blkioDeviceReadBps: [{ path: disk, rate: '20m' }], blkioDeviceWriteIops: [] });
    assert.ok((await read('read_bps')).includes(String(20 * MIB)));
    assert.equal((await read('write_iops')).includes('500'), false);
  });

  test('a weight of block I/O is in force where a scheduler has weights, and refused elsewhere', async () => {
    const run = options.lab.engine.run(options.image, ['true'], { network: 'none', blkioWeight: 300 });
    const result = await run.catch((error: unknown) => error);
    const file = v2 ? 'io.bfq.weight' : 'blkio.bfq.weight';
    if (result instanceof Error) {
      await rejection(run, 'CONTROLLER_MISSING');
      return;
    }
    await using container = await options.start({ blkioWeight: 300 });
    assert.match(await limit(container, ['blkio', file], file), /300/);
  });

  test('huge pages', async () => {
    const hugepageLimits = [{ pageSize: '2MB', limit: '4m' }];
    const run = options.lab.engine.run(options.image, ['true'], { network: 'none', hugepageLimits });
    const missing = await run.then(
      () => false,
      () => true,
    );
    if (missing) {
      await rejection(run, 'CONTROLLER_MISSING');
      return;
    }
    await using container = await options.start({ hugepageLimits });
    const file = 'hugetlb.2MB.max';
    assert.equal(await limit(container, ['hugetlb', 'hugetlb.2MB.limit_in_bytes'], file), String(4 * MIB));
  });

  test('a parent of its own is where the container’s groups are, with whatever is done later, and goes with it', async () => {
    const cgroupParent = `tsc-parent-${process.pid}/sub`;
    const directory = (id: string): string => `/sys/fs/cgroup${v2 ? '' : '/pids'}/${cgroupParent}/tscontainer/${id}`;
    {
      await using container = await options.start({ cgroupParent: `/${cgroupParent}`, pidsLimit: 9 });
      assert.ok(existsSync(directory(container.id)));
      await container.update({ pidsLimit: 11 });
      assert.equal((await container.stats()).pids?.limit, 11);
      await container.pause();
      assert.equal(container.status, 'paused');
      await container.unpause();
      assert.equal((await container.exec(['true'])).exitCode, 0);
      assert.equal((await container.top()).length, 1);
    }
    assert.equal(existsSync(directory('')), false);
    removeParents(cgroupParent);
  });

  test('nonsense is refused with the name of the option', async () => {
    const rows: readonly (readonly [string, object])[] = [
      ['memorySwappiness', { memorySwappiness: 101 }],
      ['oomKillDisable', { oomKillDisable: true }],
      ['blkioWeight', { blkioWeight: 5 }],
      ['blkioDeviceReadBps', { blkioDeviceReadBps: [{ path: '/dev/null', rate: 1 }] }],
      ['blkioDeviceReadBps', { blkioDeviceReadBps: [{ path: disk, rate: 'fast' }] }],
      ['blkioDeviceReadIops', { blkioDeviceReadIops: [{ path: disk, rate: 0.5 }] }],
      ['hugepageLimits', { hugepageLimits: [{ pageSize: 'big', limit: 1 }] }],
      ['cgroupParent', { cgroupParent: 'a/../b' }],
      ['cgroupParent', { cgroupParent: 'cgroup.procs' }],
    ];
    for (const [option, wanted] of rows) {
      const error = await rejection(options.start(wanted as Partial<ContainerOptions>), 'INVALID_OPTION');
      assert.ok(error.data.option.startsWith(option), `${error.data.option} for ${JSON.stringify(wanted)}`);
    }
    assert.deepEqual(await options.lab.engine.containers.list(), []);
  });
});

/** The engine leaves the groups that its caller has named. */
function removeParents(parent: string): void {
  const roots = v2 ? [''] : readdirSync('/sys/fs/cgroup');
  for (const root of roots) {
    for (const path of [parent, parent.split('/')[0] ?? '']) {
      const directory = `/sys/fs/cgroup/${root}/${path}`;
      if (existsSync(directory)) rmdirSync(directory);
    }
  }
}

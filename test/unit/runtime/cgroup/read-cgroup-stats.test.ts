import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCgroupManager } from '#lib/runtime/cgroup/create-cgroup-manager.js';
import { type CgroupStats, readCgroupStats } from '#lib/runtime/cgroup/read-cgroup-stats.js';
import { cgroupHosts } from '../../../helpers/cgroup-hosts.js';

function stats(host: 'v1' | 'v2', texts: Readonly<Record<string, string>>): Promise<CgroupStats> {
  const { files } = createCgroupManager(cgroupHosts[host]).plan({ id: 'abc', resources: {} });
  return readCgroupStats(
    files,
    async (path) => texts[path.replace('/sys/fs/cgroup/', '').replace('tscontainer/abc/', '')],
  );
}

test('files that are absent are counters that are absent', async () => {
  assert.deepEqual(await stats('v1', {}), {});
  assert.deepEqual(await stats('v2', {}), {});
});

test('memory is told without what the kernel would drop first, and with it', async () => {
  const v1 = {
    'memory/memory.usage_in_bytes': '1000\n',
    'memory/memory.limit_in_bytes': '4096\n',
    'memory/memory.max_usage_in_bytes': '2000\n',
    'memory/memory.memsw.usage_in_bytes': '1300\n',
    'memory/memory.failcnt': '5\n',
    'memory/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 3\n',
    'memory/memory.stat': 'cache 1\ninactive_file 999\ntotal_cache 700\ntotal_inactive_file 400\n',
  };
  const expected = {
    usageBytes: 600,
    chargedBytes: 1000,
    limitBytes: 4096,
    peakBytes: 2000,
    cacheBytes: 700,
    swapBytes: 300,
    limitHits: 5,
    oomKills: 3,
  };
  assert.deepEqual((await stats('v1', v1)).memory, {
    ...expected,
    detail: { cache: 1, inactive_file: 999, total_cache: 700, total_inactive_file: 400 },
  });
  const v2 = {
    'memory.current': '1000\n',
    'memory.max': '4096\n',
    'memory.peak': '2000\n',
    'memory.swap.current': '300\n',
    'memory.events': 'low 0\nhigh 0\nmax 5\noom 9\noom_kill 3\noom_group_kill 0\n',
    'memory.stat': 'anon 100\nfile 700\ninactive_file 400\n',
  };
  assert.deepEqual((await stats('v2', v2)).memory, {
    ...expected,
    detail: { anon: 100, file: 700, inactive_file: 400 },
  });
});

test('limits are told where there are some', async () => {
  const v1 = { 'memory/memory.usage_in_bytes': '1\n', 'pids/pids.current': '7\n' };
  const free = { 'memory/memory.limit_in_bytes': '9223372036854771712\n', 'pids/pids.max': 'max\n' };
  const unlimited = await stats('v1', { ...v1, ...free });
  assert.deepEqual([unlimited.memory?.limitBytes, unlimited.pids], [undefined, { current: 7 }]);
  const limited = await stats('v2', {
    ...{ 'memory.current': '1\n', 'memory.max': '4096\n', 'pids.current': '7\n', 'pids.max': '9\n' },
  });
  assert.deepEqual([limited.memory?.limitBytes, limited.pids], [4096, { current: 7, limit: 9 }]);
});

test('processor time is in milliseconds on both versions, held-back time too', async () => {
  const v1 = {
    'cpuacct/cpuacct.usage': '3500000\n',
    'cpuacct/cpuacct.usage_user': '2500000\n',
    'cpuacct/cpuacct.usage_sys': '1000000\n',
    'cpuacct/cpuacct.usage_percpu': '3000000 500000 \n',
    'cpu/cpu.stat': 'nr_periods 9\nnr_throttled 3\nthrottled_time 2000000\n',
  };
  const throttling = { periods: 9, throttledPeriods: 3, throttledMs: 2 };
  const times = { usageMs: 3.5, userMs: 2.5, systemMs: 1 };
  assert.deepEqual((await stats('v1', v1)).cpu, { ...times, perCpuMs: [3, 0.5], throttling });
  const v2 = {
    'cpu.stat':
      'usage_usec 3500\nuser_usec 2500\nsystem_usec 1000\nnr_periods 9\nnr_throttled 3\nthrottled_usec 2000\n',
  };
  assert.deepEqual((await stats('v2', v2)).cpu, { ...times, throttling });
  const bare = { 'cpu.stat': 'usage_usec 1500\n' };
  assert.deepEqual(
    (await stats('v2', bare)).cpu,
    { usageMs: 1.5 },
    'a group without the controller counts usage alone',
  );
});

test('block I/O is told for each device, and summed up', async () => {
  const devices = [
    { major: 8, minor: 0, readBytes: 4096, writtenBytes: 100, reads: 1, writes: 7 },
    { major: 254, minor: 0, readBytes: 8192, writtenBytes: 0, reads: 2, writes: 0 },
  ];
  const io = { readBytes: 12288, writtenBytes: 100, reads: 3, writes: 7, devices };
  const v1 = {
    'blkio/blkio.throttle.io_service_bytes_recursive':
      '8:0 Read 4096\n8:0 Write 100\n8:0 Sync 1\n8:0 Total 4196\n254:0 Read 8192\n254:0 Write 0\nTotal 12388\n',
    'blkio/blkio.throttle.io_serviced_recursive': '8:0 Read 1\n8:0 Write 7\n254:0 Read 2\nTotal 10\n',
  };
  assert.deepEqual((await stats('v1', v1)).io, io);
  const v2 = {
    'io.stat':
      '8:0 rbytes=4096 wbytes=100 rios=1 wios=7 dbytes=9 dios=1\n254:0 rbytes=8192 wbytes=0 rios=2 wios=0 dbytes=0 dios=0\n',
  };
  assert.deepEqual((await stats('v2', v2)).io, io);
  const nothing = { readBytes: 0, writtenBytes: 0, reads: 0, writes: 0, devices: [] };
  assert.deepEqual((await stats('v2', { 'io.stat': '' })).io, nothing);
});

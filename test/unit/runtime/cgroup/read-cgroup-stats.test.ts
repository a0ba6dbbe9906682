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

test('limits are told where there are some', async () => {
  assert.deepEqual(await stats('v1', { 'memory/memory.limit_in_bytes': '4096\n', 'pids/pids.max': '5\n' }), {
    memoryLimitBytes: 4096,
    pidsLimit: 5,
  });
  assert.deepEqual(
    await stats('v1', { 'memory/memory.limit_in_bytes': '9223372036854771712\n', 'pids/pids.max': 'max\n' }),
    {},
  );
  assert.deepEqual(await stats('v2', { 'memory.max': '4096\n', 'pids.max': 'max\n' }), { memoryLimitBytes: 4096 });
});

test('held-back time is in nanoseconds on both versions', async () => {
  const cpuThrottling = { periods: 3, nanoseconds: 2_000_000n };
  const v1 = { 'cpu/cpu.stat': 'nr_periods 9\nnr_throttled 3\nthrottled_time 2000000\n' };
  assert.deepEqual(await stats('v1', v1), { cpuThrottling });
  const v2 = { 'cpu.stat': 'usage_usec 5\nnr_periods 9\nnr_throttled 3\nthrottled_usec 2000\n' };
  assert.deepEqual(await stats('v2', v2), { cpuThrottling, cpuNanoseconds: 5000n });
});

test('block I/O is summed up over devices', async () => {
  const io = { readBytes: 12288, writtenBytes: 100, reads: 3, writes: 7 };
  const v1 = {
    'blkio/blkio.throttle.io_service_bytes_recursive':
      '8:0 Read 4096\n8:0 Write 100\n8:0 Sync 1\n8:0 Total 4196\n254:0 Read 8192\n254:0 Write 0\nTotal 12388\n',
    'blkio/blkio.throttle.io_serviced_recursive': '8:0 Read 1\n8:0 Write 7\n254:0 Read 2\nTotal 10\n',
  };
  assert.deepEqual(await stats('v1', v1), { io });
  const v2 = {
    'io.stat':
      '8:0 rbytes=4096 wbytes=100 rios=1 wios=7 dbytes=9 dios=1\n254:0 rbytes=8192 wbytes=0 rios=2 wios=0 dbytes=0 dios=0\n',
  };
  assert.deepEqual(await stats('v2', v2), { io });
  assert.deepEqual(await stats('v2', { 'io.stat': '' }), {
    io: { readBytes: 0, writtenBytes: 0, reads: 0, writes: 0 },
  });
});

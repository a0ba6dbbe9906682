import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockWeight } from '#lib/runtime/cgroup/block-weight.js';
import type { CgroupHost } from '#lib/runtime/cgroup/cgroup-host.js';
import { createCgroupManager } from '#lib/runtime/cgroup/create-cgroup-manager.js';
import type { CgroupResources } from '#lib/runtime/cgroup/resources.js';
import { cgroupHosts } from '../../../helpers/cgroup-hosts.js';

const { v1, v2 } = cgroupHosts;

const limits: CgroupResources = {
  blkioWeight: 500,
  blkioWeightDevice: [{ major: 8, minor: 0, value: 10 }],
  blkioDeviceReadBps: [
    { major: 8, minor: 0, value: 1_048_576 },
    { major: 254, minor: 16, value: 4096 },
  ],
  blkioDeviceWriteBps: [{ major: 8, minor: 0, value: 2_097_152 }],
  blkioDeviceReadIops: [{ major: 8, minor: 0, value: 100 }],
  blkioDeviceWriteIops: [{ major: 8, minor: 0, value: 200 }],
};

function writes(host: CgroupHost, resources: CgroupResources, within: string): string[] {
  const { prepare } = createCgroupManager(host).plan({ id: 'abc', resources });
  return prepare.flatMap((each) =>
    each.op === 'write-file' && each.path.startsWith(within)
      ? [`${each.path.slice(each.path.lastIndexOf('/') + 1)} = ${each.data}`]
      : [],
  );
}

test('v1: block I/O is weighted by the scheduler’s file and throttled device by device', () => {
  assert.deepEqual(writes(v1, limits, '/sys/fs/cgroup/blkio/'), [
    'blkio.bfq.weight = 500',
    'blkio.bfq.weight_device = 8:0 10',
    'blkio.throttle.read_bps_device = 8:0 1048576',
    'blkio.throttle.read_bps_device = 254:16 4096',
    'blkio.throttle.write_bps_device = 8:0 2097152',
    'blkio.throttle.read_iops_device = 8:0 100',
    'blkio.throttle.write_iops_device = 8:0 200',
  ]);
});

test('v2: every scheduler gets the weight in its own measure, throttles share a file', () => {
  assert.deepEqual(
    writes(v2, limits, '/sys/fs/cgroup/tscontainer/abc/').filter((each) => each.startsWith('io.')),
    [
      'io.bfq.weight = default 500',
      'io.weight = default 4950',
      'io.bfq.weight = 8:0 10',
      'io.max = 8:0 rbps=1048576',
      'io.max = 254:16 rbps=4096',
      'io.max = 8:0 wbps=2097152',
      'io.max = 8:0 riops=100',
      'io.max = 8:0 wiops=200',
    ],
  );
});

test('the ends of the two measures of weight meet', () => {
  assert.deepEqual([blockWeight('io.weight', 10), blockWeight('io.weight', 1000)], [1, 10_000]);
  assert.deepEqual([blockWeight('io.bfq.weight', 10), blockWeight('blkio.weight', 1000)], [10, 1000]);
});

test('huge pages are limited by size, in a hierarchy that is joined for that only', () => {
  const resources = { hugepageLimits: [{ pageSize: '2MB', limit: 4_194_304 }] };
  assert.deepEqual(writes(v1, resources, '/sys/fs/cgroup/hugetlb/'), ['hugetlb.2MB.limit_in_bytes = 4194304']);
  assert.ok(writes(v2, resources, '/sys/fs/cgroup/tscontainer/abc').includes('hugetlb.2MB.max = 4194304'));
  const joined = (wanted: CgroupResources): number =>
    createCgroupManager(v1).plan({ id: 'abc', resources: wanted }).join.length;
  assert.equal(joined(resources), joined({}) + 1);
});

test('a weight that no scheduler heeds is refused, a throttle is not', () => {
  const host = { ...v2, blockWeightFiles: [] };
  assert.throws(() => writes(host, { blkioWeight: 100 }, '/'), { code: 'CONTROLLER_MISSING' });
  assert.ok(
    writes(host, { blkioDeviceReadBps: [{ major: 8, minor: 0, value: 1 }] }, '/').includes('io.max = 8:0 rbps=1'),
  );
});

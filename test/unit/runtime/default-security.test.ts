import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  defaultDeviceLinks,
  defaultDevices,
  defaultMounts,
  maskedPaths,
  readonlyPaths,
} from '#lib/runtime/default-security.js';

test('the side channels of public advisories are masked, for every processor', () => {
  const masked = maskedPaths([0, 7]);
  for (const path of [
    '/proc/interrupts',
    '/sys/devices/virtual/powercap',
    '/proc/kcore',
    '/proc/keys',
    '/sys/firmware',
  ]) {
    assert.ok(masked.includes(path), path);
  }
  assert.ok(masked.includes('/sys/devices/system/cpu/cpu7/thermal_throttle'));
  assert.equal(new Set(masked).size, masked.length);
});

test('no path is both hidden and read-only', () => {
  const masked = maskedPaths([0]);
  assert.deepEqual(
    readonlyPaths.filter((path) => masked.includes(path)),
    [],
  );
});

test('mounts come after what they lie on, and only /dev lets devices work', () => {
  const targets = defaultMounts.map((each) => each.target);
  for (const [index, target] of targets.entries()) {
    const above = targets.filter((each) => target.startsWith(`${each}/`));
    for (const each of above) assert.ok(targets.indexOf(each) < index, target);
  }
  const withDevices = defaultMounts.filter((each) => !each.flags.includes('nodev')).map((each) => each.target);
  assert.deepEqual(withDevices, ['/dev', '/dev/pts']);
  for (const each of defaultMounts) assert.ok(each.flags.includes('nosuid'), each.target);
  for (const target of ['/sys', '/sys/fs/cgroup']) {
    assert.ok(defaultMounts.find((each) => each.target === target)?.flags.includes('ro'), target);
  }
});

test('device nodes have the numbers of the kernel and no name twice', () => {
  const numbers = defaultDevices.map((each) => `${each.path} ${each.major}:${each.minor}`);
  assert.ok(numbers.includes('/dev/null 1:3'));
  assert.ok(numbers.includes('/dev/urandom 1:9'));
  const names = [...defaultDevices, ...defaultDeviceLinks].map((each) => each.path);
  assert.equal(new Set(names).size, names.length);
});

import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { openEngineLab } from '../helpers/engine-lab.js';

const offline = { network: 'none' } as const;
const masked = [
  ...['/proc/acpi', '/proc/asound', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats'],
  ...['/proc/sched_debug', '/proc/scsi', '/proc/timer_list', '/proc/timer_stats', '/sys/devices/virtual/powercap'],
  ...[
    '/sys/firmware',
    '/sys/devices/system/cpu/cpu0/thermal_throttle',
    '/sys/devices/system/cpu/cpu1/thermal_throttle',
  ],
];
const readonly = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

// GHSA-6fw5-f8r9-fgfm, GHSA-jq35-85cj-fj4p and Docker's list: files of the kernel that tell about the host or control it.
test('files of the kernel are hidden or cannot be written', async () => {
  await using lab = await openEngineLab();
  const image = lab.image();
  const hidden = masked.filter((path) => existsSync(path));
  assert.ok(hidden.length >= 5);
  const directories = hidden.filter((path) => statSync(path).isDirectory());
  const files = hidden.filter((path) => !directories.includes(path));
  const script = `
    for path in ${files.join(' ')}; do echo "$path $(wc -c < $path)"; done
    for path in ${directories.join(' ')}; do echo "$path $(ls -A $path | wc -l)"; mkdir $path/x; done 2>/dev/null
    umount ${hidden[0]} 2>/dev/null && echo broken: unmounted
    for path in ${readonly.filter((path) => existsSync(path)).join(' ')}; do
      grep -q " $path [a-z]* ro," /proc/mounts || echo "$path can be written"
    done
    echo x > /proc/sys/kernel/core_pattern; echo 1 > /sys/kernel/profiling
    exit 0`;
  const { stdout, stderr } = await lab.engine.run(image, ['sh', '-c', script], offline);
  assert.deepEqual(
    stdout.trim().split('\n'),
    [...files, ...directories].map((path) => `${path} 0`),
  );
  assert.match(stderr, /core_pattern: Read-only file system/);

  const { stdout: visible } = await lab.engine.run(
    image,
    ['sh', '-c', 'grep -c . /proc/cpuinfo /proc/meminfo'],
    offline,
  );
  assert.match(visible, /cpuinfo:[1-9]\d*\n.*meminfo:[1-9]/, 'what programs need is there');
});

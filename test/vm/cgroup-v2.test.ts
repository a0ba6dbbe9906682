import { testInGuest } from './host/test-in-guest.js';

/** The emulated processor is some ten times slower than a real one: few files, small loads. */
testInGuest('in a virtual machine with cgroup v2 and Linux 6.1', [
  'vm/guest-tests/cgroup-limits.js',
  'vm/guest-tests/devices.js',
  'vm/guest-tests/overlay.js',
  'vm/guest-tests/network.js',
  'vm/guest-tests/more-controllers.js',
  'integration/runtime/cgroup-control.test.js',
]);

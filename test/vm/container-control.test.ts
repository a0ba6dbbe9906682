import { testInGuest } from './host/test-in-guest.js';

testInGuest('control of running containers in a virtual machine with cgroup v2 and Linux 6.1', [
  'integration/container/update.test.js',
  'integration/container/pause.test.js',
  'integration/container/stats.test.js',
  'integration/container/top.test.js',
]);

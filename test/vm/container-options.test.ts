import { testInGuest } from './host/test-in-guest.js';

testInGuest('options of containers in a virtual machine with cgroup v2 and Linux 6.1', [
  'integration/container/security-options.test.js',
  'integration/container/isolation-options.test.js',
  'integration/container/resource-options.test.js',
  'integration/container/writable-cgroups.test.js',
]);

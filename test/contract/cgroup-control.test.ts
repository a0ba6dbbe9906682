import { MemoryCgroups } from '#lib/runtime/cgroup/memory/memory-cgroups.js';
import { cgroupControlContract } from '#lib/testing/contracts/cgroup-control-contract.js';
import { openHostGroup } from '../helpers/host-cgroup.js';

cgroupControlContract({
  name: 'memory',
  open: async () => {
    const cgroups = new MemoryCgroups({ processes: () => [] });
    const { manager, control } = cgroups;
    const plan = manager.plan({ id: 'contract', resources: {} });
    for (const operation of plan.prepare) cgroups.execute(operation);
    return { manager, control, id: 'contract', plan, [Symbol.asyncDispose]: async () => undefined };
  },
});

cgroupControlContract({ name: 'file system', open: () => openHostGroup('contract', {}) });

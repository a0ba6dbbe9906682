import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { readAnswer } from '#lib/network/netlink/answer.js';
import type { Endpoint } from '#lib/network/network-driver.js';
import type { PlanOperation } from '#lib/runtime/launch-plan.js';
import { CONTAINER_NETNS_FD } from '#lib/runtime/launch-plan.js';
import { closeDescriptor, duplicateFd, libcNetwork } from './libc-network.js';
import type { NetworkNamespace } from './network-namespace.js';

/** Does what the shim does with the network operations of a plan: `parent` in `host`, `child` in `container`. */
export function connectByPlan(plan: Endpoint['plan'], host: NetworkNamespace, container: NetworkNamespace): void {
  duplicateFd(container.fd, CONTAINER_NETNS_FD);
  try {
    host.run(() => plan.parent.forEach(execute));
  } finally {
    closeDescriptor(CONTAINER_NETNS_FD);
  }
  container.run(() => plan.child.forEach(execute));
}

/** The stage `cleanup`, in `host`. */
export function cleanUpByPlan(plan: Endpoint['plan'], host: NetworkNamespace): void {
  host.run(() => plan.cleanup.forEach(execute));
}

function execute(operation: PlanOperation): void {
  if (operation.op === 'write-file') {
    writeFileSync(operation.path, operation.data);
    return;
  }
  assert.ok(operation.op === 'netlink', `network plans have no ${operation.op} in this stage`);
  const { failures } = readAnswer(libcNetwork.netlink(operation.protocol, operation.messages));
  const refused = failures.filter(({ errno }) => !operation.tolerate.includes(errno));
  assert.deepEqual(refused, [], operation.labels.join(', '));
}

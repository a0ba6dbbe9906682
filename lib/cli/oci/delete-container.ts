import { existsSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineError } from '../../core/errors/engine-error.js';
import { fsCgroupControl } from '../../runtime/cgroup/fs-cgroup-control.js';
import { listProcesses } from '../../runtime/cgroup/list-processes.js';
import { decodeOciConfig } from '../../runtime/oci/oci-config.js';
import { hasErrno } from '../../util/errno.js';
import { openContact } from './contact.js';
import { type ContainerRecord, configCopy, controlSocket, identityOf, removeRecord } from './container-record.js';
import { isAlive, stateOf } from './container-status.js';
import { runHooksToTheEnd } from './run-host-hooks.js';
import type { RuntimeContext } from './runtime-context.js';

const SIGKILL = 9;
const patienceMs = 10_000;

/** Ends what is left of a container and removes every trace of it; poststop hooks come last but one. */
export async function deleteContainer(context: RuntimeContext, record: ContainerRecord): Promise<void> {
  await killContainer(context, record);
  await removeCgroups(record);
  const config = configCopy(context, record.id);
  if (existsSync(config)) {
    const hooks = decodeOciConfig(readFileSync(config, 'utf8')).hooks?.poststop ?? [];
    runHooksToTheEnd(hooks, { ...stateOf(record), status: 'stopped' }, context.log.warn);
  }
  removeRecord(context, record.id);
}

/** Kills the first process and waits for its end; nothing to do when it has ended. */
export async function killContainer(context: RuntimeContext, record: ContainerRecord): Promise<void> {
  const identity = identityOf(record);
  if (record.pid === 0 || !isAlive(identity)) return;
  const contact = await openContact(controlSocket(context, record.id));
  if (contact !== undefined) await contact.signal(SIGKILL);
  else if (isAlive(identity)) process.kill(record.pid, SIGKILL);
  thawProcess(record.pid);
  await waitUntil(() => !isAlive(identity), `process ${record.pid} to end`);
  contact?.close();
}

/** A frozen process does not die on v1, in whatever group it was frozen. */
function thawProcess(pid: number): void {
  for (const line of readOptional(`/proc/${pid}/cgroup`).split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (!controllers.split(',').includes('freezer')) continue;
    const file = `/sys/fs/cgroup/${controllers}${path}/freezer.state`;
    if (readOptional(file).trim() !== 'THAWED' && existsSync(file)) writeFileSync(file, 'THAWED');
  }
}

/** Kills what the first process has left behind (without a PID namespace of its own), and removes the groups. */
export async function removeCgroups(record: Pick<ContainerRecord, 'cgroup'>): Promise<void> {
  const { directories } = record.cgroup;
  for (const directory of directories) {
    const processes = `${directory}/cgroup.procs`;
    for (const pid of await listProcesses({ processes }, fsCgroupControl)) killQuietly(pid);
  }
  for (const directory of directories) await removeGroup(directory);
}

async function removeGroup(directory: string): Promise<void> {
  for (const each of await fsCgroupControl.listGroups(directory)) await removeGroup(`${directory}/${each}`);
  // Busy until the kernel has let go of the last task.
  await waitUntil(() => {
    try {
      rmdirSync(directory);
      return true;
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return true;
      if (hasErrno(error, 'EBUSY')) return false;
      throw error;
    }
  }, `cgroup ${directory} to be empty`);
}

async function waitUntil(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (let pauseMs = 1; !condition(); pauseMs = Math.min(pauseMs * 2, 50)) {
    if (performance.now() > deadline)
      throw new EngineError('SYSTEM_CALL_FAILED', { syscall: 'wait', errno: 'ETIMEDOUT', operand: what, hint: '' });
    await delay(pauseMs);
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, SIGKILL);
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error;
  }
}

function readOptional(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has gone meanwhile
  }
}

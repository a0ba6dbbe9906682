import { readFileSync } from 'node:fs';
import type { ProcessIdentity } from '../../core/process-identity.js';
import { isFrozenNow } from '../../runtime/cgroup/freeze-cgroup.js';
import { fsCgroupControl } from '../../runtime/cgroup/fs-cgroup-control.js';
import type { OciState, OciStatus } from '../../runtime/oci/oci-state.js';
import { cgroupFilesOf } from './container-cgroup.js';
import { type ContainerRecord, identityOf } from './container-record.js';

/** What a container is doing right now. */
export function statusOf(record: ContainerRecord): OciStatus {
  if (record.pid === 0) return 'creating';
  if (!isAlive(identityOf(record))) return 'stopped';
  if (!record.started) return 'created';
  return isFrozenNow(cgroupFilesOf(record), fsCgroupControl) ? 'paused' : 'running';
}

export function stateOf(record: ContainerRecord): OciState & { readonly pid: number } {
  const status = statusOf(record);
  const { ociVersion, id, bundle, annotations } = record;
  const pid = status === 'stopped' || status === 'creating' ? 0 : record.pid;
  return { ociVersion, id, status, pid, bundle, ...(annotations && { annotations }) };
}

/** A zombie has ended: only its parent has not taken notice yet. @see proc(5), "/proc/pid/stat" */
export function isAlive({ pid, startTicks }: ProcessIdentity): boolean {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return false; // no such process
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', ticks = ''] = [fields[0], fields[19]];
  return BigInt(ticks) === startTicks && state !== 'Z' && state !== 'X';
}

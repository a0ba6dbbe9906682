import { basename, dirname, join } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';
import { errnoOf, hasErrno } from '../../util/errno.js';
import type { WriteFile } from '../launch-plan.js';
import type { CgroupControl } from './cgroup-control.js';

/**
 * Writes limits to the files of groups that exist, in their order.
 *
 * @throws EngineError `SYSTEM_CALL_FAILED` for the first that the kernel refuses, with what that means.
 */
export async function writeLimits(
  writes: readonly Pick<WriteFile, 'path' | 'data'>[],
  control: Pick<CgroupControl, 'readText' | 'writeText'>,
): Promise<void> {
  for (const { path, data } of writes) {
    try {
      await control.writeText(path, data);
    } catch (error) {
      const wider = isLiftedSet(data, error) ? await setAbove(path, control) : undefined;
      if (wider === undefined) throw refusal(path, data, error);
      await control.writeText(path, wider);
    }
  }
}

/** Before Linux 6.6 a group with processes keeps a set of processors or memory nodes once it has had one. */
const isLiftedSet = (data: string, error: unknown): boolean => data.trim() === '' && hasErrno(error, 'ENOSPC');

/** What the group above may use is as good as no limit. @see Documentation/admin-guide/cgroup-v2.rst, "cpuset.cpus" */
async function setAbove(path: string, control: Pick<CgroupControl, 'readText'>): Promise<string | undefined> {
  return control.readText(join(dirname(dirname(path)), `${basename(path)}.effective`));
}

function refusal(path: string, data: string, error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  const file = path.slice(path.lastIndexOf('/') + 1);
  const hint = hints.find(([pattern, each]) => each === errno && pattern.test(file))?.[2] ?? '';
  const operand = `'${data}' to ${path}`;
  return new EngineError('SYSTEM_CALL_FAILED', { syscall: 'write', errno, operand, hint }, { cause: error });
}

const hints: readonly (readonly [file: RegExp, errno: string, hint: string])[] = [
  [/^memory\.(?:limit|memsw)/, 'EBUSY', 'the container uses more than that, and the kernel could not make room'],
  [/^memory\.(?:limit|memsw)/, 'EINVAL', 'memory may not exceed memory and swap together'],
  [/^cpuset\.cpus$/, 'EINVAL', 'the host, or the group above, does not have these processors'],
  [/^cpuset\.cpus$/, 'ERANGE', 'the host does not have these processors'],
  [/^cpuset\.cpus$/, 'EACCES', 'the group above does not have these processors'],
  [/^cpuset\.mems$/, 'EINVAL', 'the host, or the group above, does not have these memory nodes'],
  [/^cpuset\.mems$/, 'ERANGE', 'the host does not have these memory nodes'],
  [/^cpuset\.mems$/, 'EACCES', 'the group above does not have these memory nodes'],
  [/^(?:io|blkio)\./, 'ENODEV', 'there is no such block device'],
];

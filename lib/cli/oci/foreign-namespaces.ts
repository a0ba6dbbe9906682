import { readlinkSync } from 'node:fs';
import type { NamespaceKind } from '../../runtime/namespace-kind.js';
import { hasErrno } from '../../util/errno.js';

const files: Readonly<Record<NamespaceKind, string>> = {
  user: 'user',
  mount: 'mnt',
  pid: 'pid',
  net: 'net',
  ipc: 'ipc',
  uts: 'uts',
  cgroup: 'cgroup',
  time: 'time',
};

/** The kinds of namespaces in which a process differs from this one. */
export function foreignNamespaces(pid: number): readonly NamespaceKind[] {
  return (Object.keys(files) as NamespaceKind[]).filter(
    (kind) => idOf(String(pid), files[kind]) !== idOf('self', files[kind]),
  );
}

function idOf(process: string, file: string): string {
  try {
    return readlinkSync(`/proc/${process}/ns/${file}`);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return ''; // a kind that this kernel does not have
    throw error;
  }
}

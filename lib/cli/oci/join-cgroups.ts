import { existsSync } from 'node:fs';
import type { JoinCgroup } from '../../runtime/launch-plan.js';
import type { ContainerRecord } from './container-record.js';
import { UsageError } from './usage-error.js';

/**
 * The groups that a further process of a container enters: the container's own, or one below it that is there already.
 *
 * @throws UsageError for a group that is not below the container's.
 */
export function joinCgroups(cgroup: ContainerRecord['cgroup'], below: string | undefined): readonly JoinCgroup[] {
  if (below === undefined || below === '' || below === '/')
    return cgroup.directories.map((path) => ({ op: 'join-cgroup', path }));
  const parts = below.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new UsageError(`cgroup '${below}': \`..\` components are not allowed`);
  const found = cgroup.directories.map((path) => `${path}/${parts.join('/')}`);
  if (!found.some((path) => existsSync(path))) throw new UsageError(`cgroup '${below}' does not exist`);
  return cgroup.directories.map((path, index) => {
    const wanted = found[index] ?? path;
    return { op: 'join-cgroup', path: existsSync(wanted) ? wanted : path };
  });
}

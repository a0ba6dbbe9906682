import { basename, dirname } from 'node:path';
import type { JoinCgroup, PlanOperation } from '../launch-plan.js';
import type { CgroupPlan } from './cgroup.js';

/** The group in a container's own that is handed to it: the limits are above, out of its reach. */
const DELEGATED = 'container';

/** What a container needs to make groups below one and to move its processes. @see cgroup-v2.rst, "Delegation" */
const delegatedFiles = ['', '/cgroup.procs', '/cgroup.threads', '/cgroup.subtree_control', '/tasks'];

/**
 * The same groups for a container that may manage groups of its own: it is in a group below, with all controllers handed on.
 *
 * @param owner root of the container as ids of the host, with a user namespace. Default: the host’s root.
 */
export function delegateGroups(
  plan: CgroupPlan,
  owner: { readonly uid: number; readonly gid: number } | undefined,
): CgroupPlan {
  const { oomKills, memory } = plan.files;
  return {
    ...plan,
    prepare: plan.prepare.flatMap((operation) => {
      if (operation.op !== 'join-cgroup' || !isDelegated(operation.path)) return [operation];
      return [
        ...handOn(plan, operation.path),
        ...make(below(operation.path), owner),
        { ...operation, path: below(operation.path) },
      ];
    }),
    join: plan.join.map((each) => (isDelegated(each.path) ? { ...each, path: below(each.path) } : each)),
    files: {
      ...plan.files,
      // v1 counts what it kills where it was, v2 in the groups above, too.
      ...(memory?.version === 'v1' &&
        oomKills !== undefined && { oomKills: `${below(dirname(oomKills))}/${basename(oomKills)}` }),
    },
  };
}

const below = (path: string): string => `${path}/${DELEGATED}`;

/** A group of cpuset v1 takes no process before it has processors and memory, which the container would have to know. */
const isDelegated = (path: string): boolean => !path.split('/').some((part) => part.split(',').includes('cpuset'));

function handOn({ controllers }: CgroupPlan, path: string): readonly PlanOperation[] {
  if (controllers.length === 0) return [];
  const data = controllers.map((each) => `+${each}`).join(' ');
  return [{ op: 'write-file', path: `${path}/cgroup.subtree_control`, data }];
}

function make(
  path: string,
  owner: { readonly uid: number; readonly gid: number } | undefined,
): readonly PlanOperation[] {
  return [
    { op: 'make-directory', path, mode: 0o755 },
    ...(owner === undefined
      ? []
      : [{ op: 'own', paths: delegatedFiles.map((file) => path + file), ...owner } as const]),
  ];
}

/**
 * Where a further process of such a container goes: on v2 to its first one, since a group that hands controllers on takes no
 * process. `text` is that of /proc/PID/cgroup of the first. @see cgroups(7), "/proc files"
 */
export function joinOfDelegated(plan: CgroupPlan, text: string): readonly JoinCgroup[] {
  if (plan.controllers.length === 0) return plan.join;
  return plan.join.map((each) => {
    const group = each.path.split('/').slice(-2).join('/'); // ID/container
    const line = text.split('\n').find((one) => one.startsWith('0::'));
    const [, suffix = ''] = line?.split(`/${group}`) ?? [];
    return { ...each, path: each.path + suffix };
  });
}

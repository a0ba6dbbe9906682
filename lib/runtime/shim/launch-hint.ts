import type { PlanOperation } from '../launch-plan.js';

/** A failure as the shim tells it. `operation` is undefined for what happens between operations. */
export interface LaunchFailure {
  readonly operation: PlanOperation['op'] | undefined;
  readonly syscall: string;
  readonly errno: string;
  readonly operand: string;
}

/** A known cause. What is not given fits everything. */
interface KnownCause {
  readonly errno: string;
  readonly syscalls?: readonly string[];
  readonly operations?: readonly PlanOperation['op'][];
  readonly operand?: RegExp;
  readonly hint: string;
}

/** What to do about a failure whose usual cause is a setting of the host or of the caller; '' when none is known. */
export function launchHint({ operation, syscall, errno, operand }: LaunchFailure): string {
  const cause = knownCauses.find(
    (each) =>
      each.errno === errno &&
      (each.syscalls?.includes(syscall) ?? true) &&
      (each.operations === undefined || (operation !== undefined && each.operations.includes(operation))) &&
      (each.operand?.test(operand) ?? true),
  );
  return cause?.hint ?? '';
}

const namespaceCalls = ['clone3', 'clone', 'unshare'];
const mountCalls = ['mount', 'fsopen', 'fsconfig', 'fsmount', 'open_tree', 'move_mount', 'mount_setattr', 'pivot_root'];
const cgroupFile = /\/(cgroup|sys\/fs)\b/;

/** The more special ones first. */
const knownCauses: readonly KnownCause[] = [
  {
    errno: 'EPERM',
    syscalls: namespaceCalls,
    hint: 'the caller may not make these namespaces: run as root, or allow user namespaces (/proc/sys/kernel/unprivileged_userns_clone, apparmor_restrict_unprivileged_userns)',
  },
  {
    errno: 'ENOSPC',
    syscalls: namespaceCalls,
    hint: 'the limit of namespaces is reached: see /proc/sys/user/max_*_namespaces',
  },
  {
    errno: 'EAGAIN',
    syscalls: [...namespaceCalls, 'fork'],
    hint: 'the limit of processes is reached: see RLIMIT_NPROC, pids.max of the cgroups around, /proc/sys/kernel/threads-max',
  },
  {
    errno: 'EAGAIN',
    syscalls: ['setresuid'],
    hint: 'the user has as many processes as RLIMIT_NPROC allows',
  },
  {
    errno: 'EBUSY',
    syscalls: ['clone3'],
    hint: 'the cgroup has controllers for groups below it and takes no process itself',
  },
  {
    errno: 'EPERM',
    syscalls: ['setns'],
    hint: 'joining a container needs CAP_SYS_ADMIN in the user namespace that owns it',
  },
  {
    errno: 'EPERM',
    syscalls: ['prlimit'],
    hint: 'raising a limit above its hard limit needs CAP_SYS_RESOURCE, which this host withholds',
  },
  {
    errno: 'EACCES',
    operations: ['oom-score'],
    hint: 'a score below that of the caller needs CAP_SYS_RESOURCE, which this host withholds',
  },
  {
    errno: 'EPERM',
    syscalls: mountCalls,
    hint: 'mounting needs CAP_SYS_ADMIN in the namespace that owns it, and no AppArmor profile that forbids it around this process',
  },
  {
    errno: 'EACCES',
    syscalls: mountCalls,
    hint: 'an AppArmor profile or another security module around this process forbids mounting',
  },
  { errno: 'ENODEV', syscalls: ['fsopen', 'mount'], hint: 'the kernel does not know this file system' },
  { errno: 'ENOENT', syscalls: ['open_tree'], hint: 'what is to be mounted does not exist on the host any more' },
  {
    errno: 'EINVAL',
    operations: ['overlay-root'],
    hint: 'the file system refused its options; overlay needs a file system with d_type below its upper directory',
  },
  {
    errno: 'EINVAL',
    syscalls: ['pivot_root'],
    hint: 'the root of this process cannot be left, as on the first file system of the kernel (rootfs)',
  },
  {
    errno: 'EPERM',
    syscalls: ['mknod'],
    hint: 'device nodes need CAP_MKNOD, outside of any user namespace, and a devices cgroup around that allows them',
  },
  {
    errno: 'ENOENT',
    operations: ['label'],
    hint: 'this host has neither AppArmor nor SELinux enabled, or not this attribute of them',
  },
  {
    errno: 'ENOENT',
    syscalls: ['open'],
    operand: cgroupFile,
    hint: 'the cgroup controller or setting does not exist on this host',
  },
  {
    errno: 'ENOENT',
    syscalls: ['open'],
    operand: /^\/proc\/sys\//,
    hint: 'this kernel does not have the sysctl, or not in a namespace of its own',
  },
  {
    errno: 'EROFS',
    operand: cgroupFile,
    hint: 'the cgroups of this host are mounted read-only: make them writable for the container around this process',
  },
  {
    errno: 'EACCES',
    operand: cgroupFile,
    hint: 'the caller may not change these cgroups: have a subtree delegated',
  },
  {
    errno: 'EBUSY',
    operand: /cgroup\.(procs|subtree_control)/,
    hint: 'a cgroup v2 group either has processes or gives controllers to groups below it',
  },
  {
    errno: 'EACCES',
    operations: ['reserve-port'],
    hint: 'ports below /proc/sys/net/ipv4/ip_unprivileged_port_start need CAP_NET_BIND_SERVICE',
  },
  { errno: 'EADDRNOTAVAIL', operations: ['reserve-port'], hint: 'the host does not have this address' },
  { errno: 'EPERM', operations: ['netlink'], hint: 'changing networks needs CAP_NET_ADMIN' },
  {
    errno: 'EOPNOTSUPP',
    operations: ['netlink'],
    hint: 'the kernel lacks the module for this: veth, bridge or nf_tables',
  },
  {
    errno: 'EPERM',
    syscalls: ['sched_setattr', 'ioprio_set'],
    hint: 'this scheduling needs CAP_SYS_NICE',
  },
  {
    errno: 'ECHILD',
    syscalls: ['child', 'await-child'],
    hint: 'something has killed it: a memory limit that is too small even for a start, or a filter of system calls',
  },
  {
    errno: 'ENOSYS',
    hint: 'the call is unknown to this kernel, which must be Linux 5.12 or later, or is hidden by a filter of system calls around this process',
  },
  { errno: 'EMFILE', hint: 'too many open files: raise RLIMIT_NOFILE of the calling process' },
  { errno: 'ENFILE', hint: 'the host has too many open files: see /proc/sys/fs/file-max' },
  { errno: 'ENOMEM', hint: 'the host, or a memory limit around this process, has no memory left' },
];

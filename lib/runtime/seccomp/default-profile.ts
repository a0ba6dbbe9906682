import type { Capability } from '../capabilities.js';
import { ENOSYS, EPERM } from './action-value.js';
import type { HostArchitecture } from './architecture.js';
import { commonSyscalls } from './default-syscalls.js';
import type { SeccompCondition, SeccompProfile, SeccompRule } from './profile.js';

export interface DefaultProfileOptions {
  /** What the container holds: calls that a capability guards are useless, hence closed, without it. */
  readonly capabilities: ReadonlySet<Capability>;
  readonly architecture: HostArchitecture;
}

/**
 * The filter of a container that asks for no other. Closes what Docker's closes, and beyond that AF_ALG and AF_VSOCK
 * through dirty upper argument bits and through socketcall(2) of 32-bit programs.
 *
 * The 32-bit ABI of the host is open; x32 is not, which Docker lists but hardly any kernel has.
 */
export function defaultSeccompProfile(options: DefaultProfileOptions): SeccompProfile {
  const { capabilities, architecture } = options;
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: architecture === 'x86_64' ? ['SCMP_ARCH_X86'] : architecture === 'aarch64' ? ['SCMP_ARCH_ARM'] : [],
    syscalls: [
      allow(commonSyscalls),
      ...guarded.filter(([capability]) => capabilities.has(capability)).map(([, names]) => allow(names)),
      ...(capabilities.has('SYS_ADMIN') ? [] : withoutNewNamespaces),
      ...sockets,
      ...personalities.map((value) => allow(['personality'], [{ index: 0, value, op: 'SCMP_CMP_EQ' }])),
      notYet,
    ],
  };
}

const allow = (names: readonly string[], args: readonly SeccompCondition[] = []): SeccompRule => ({
  names,
  action: 'SCMP_ACT_ALLOW',
  args,
});

/** Calls that belong to a capability. @see capabilities(7) */
const guarded: readonly (readonly [Capability, readonly string[]])[] = [
  ['SYS_ADMIN', ['mount', 'umount', 'umount2', 'mount_setattr', 'move_mount', 'open_tree', 'open_tree_attr']],
  ['SYS_ADMIN', ['fsopen', 'fsconfig', 'fsmount', 'fspick']],
  ['SYS_ADMIN', ['clone', 'clone3', 'unshare', 'setns', 'sethostname', 'setdomainname']],
  ['SYS_ADMIN', ['bpf', 'perf_event_open', 'fanotify_init', 'lookup_dcookie', 'quotactl', 'quotactl_fd', 'syslog']],
  ['SYS_ADMIN', ['lsm_get_self_attr', 'lsm_set_self_attr', 'lsm_list_modules']],
  ['DAC_READ_SEARCH', ['open_by_handle_at']], // opens any inode of a file system, out of every chroot
  ['SYS_BOOT', ['reboot']],
  ['SYS_CHROOT', ['chroot']],
  ['SYS_MODULE', ['init_module', 'finit_module', 'delete_module']],
  ['SYS_PACCT', ['acct']],
  ['SYS_PTRACE', ['kcmp', 'pidfd_getfd', 'process_madvise']],
  ['SYS_RAWIO', ['iopl', 'ioperm']],
  ['SYS_TIME', ['settimeofday', 'stime', 'clock_settime', 'clock_settime64']],
  ['SYS_TTY_CONFIG', ['vhangup']],
  ['SYS_NICE', ['get_mempolicy', 'mbind', 'set_mempolicy', 'set_mempolicy_home_node']],
  ['SYSLOG', ['syslog']],
  ['BPF', ['bpf']],
  ['PERFMON', ['perf_event_open']],
];

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. @see linux/sched.h */
const namespaceFlags = 0x0002_0000 | 0x0200_0000 | 0x0400_0000 | 0x0800_0000 | 0x1000_0000 | 0x2000_0000 | 0x4000_0000;

/** New user namespaces open most of the kernel's privileged code to everyone; unshare(2) stays closed for the same reason. */
const withoutNewNamespaces: readonly SeccompRule[] = [
  allow(['clone'], [{ index: 0, value: namespaceFlags, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]),
  // Its flags are in memory, where a filter cannot look; with ENOSYS libraries fall back on clone.
  { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
];

const AF_ALG = 38;
const AF_VSOCK = 40;
const SYS_SOCKET = 1;

/**
 * Every address family but AF_ALG (kernel crypto, CVE-2026-31431) and AF_VSOCK (reaches the hypervisor; not namespaced).
 * The kernel looks at 32 bits of the argument, so no comparison of all 64 may decide: blocks of families are compared
 * under a mask of the lower half.
 */
const sockets: readonly SeccompRule[] = [
  ...blocksWithout([AF_ALG, AF_VSOCK], 64).map(({ from, size }) =>
    allow(['socket'], [{ index: 0, value: 0xffff_ffff - (size - 1), valueTwo: from, op: 'SCMP_CMP_MASKED_EQ' }]),
  ),
  // socketcall(SYS_SOCKET) has the family in memory. musl falls back on socket(2); glibc for i386 may not.
  { names: ['socketcall'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS, args: [lowerHalf(0, SYS_SOCKET)] },
  allow(['socketcall'], [{ index: 0, value: SYS_SOCKET, op: 'SCMP_CMP_GT' }]),
];

function lowerHalf(index: number, value: number): SeccompCondition {
  return { index, value: 0xffff_ffff, valueTwo: value, op: 'SCMP_CMP_MASKED_EQ' };
}

/** Aligned blocks of powers of two that cover 0 to `end` (a power of two) except `holes`. */
function blocksWithout(holes: readonly number[], end: number, from = 0): { from: number; size: number }[] {
  const size = end - from;
  if (!holes.some((hole) => hole >= from && hole < end)) return [{ from, size }];
  if (size === 1) return [];
  const middle = from + size / 2;
  return [...blocksWithout(holes, middle, from), ...blocksWithout(holes, end, middle)];
}

/** Linux, Linux of 32 bits, either with the 2.6 version number, and the question for the present one. */
const personalities = [0, 0x0008, 0x2_0000, 0x2_0008, 0xffff_ffff];

/** Newer than Docker's list and not judged yet: answered as by a kernel without them, so that programs fall back. */
const notYet: SeccompRule = {
  names: ['file_getattr', 'file_setattr', 'uprobe'],
  action: 'SCMP_ACT_ERRNO',
  errnoRet: ENOSYS,
};

import { EngineError } from '../../core/errors/engine-error.js';
import { aarch64 } from './syscalls/aarch64.js';
import { arm } from './syscalls/arm.js';
import { x32 } from './syscalls/x32.js';
import { x86 } from './syscalls/x86.js';
import { x86_64 } from './syscalls/x86-64.js';

/** The architectures whose system calls are known here. */
export type SeccompArchitecture = 'x86_64' | 'x86' | 'x32' | 'aarch64' | 'arm';

/** Those that a kernel can be built for; x32 is an ABI of x86_64. */
export type HostArchitecture = Exclude<SeccompArchitecture, 'x32'>;

export interface ArchitectureFacts {
  /** `arch` of struct seccomp_data. x32 shares it with x86_64 and differs in bit 30 of the number. @see linux/audit.h */
  readonly audit: number;
  readonly syscalls: string;
}

export const architectureFacts: Readonly<Record<SeccompArchitecture, ArchitectureFacts>> = {
  x86_64: { audit: 0xc000_003e, syscalls: x86_64 },
  x86: { audit: 0x4000_0003, syscalls: x86 },
  x32: { audit: 0xc000_003e, syscalls: x32 },
  aarch64: { audit: 0xc000_00b7, syscalls: aarch64 },
  arm: { audit: 0x4000_0028, syscalls: arm },
};

/** Bit 30 marks the calls of the x32 ABI. @see arch/x86/entry/syscalls in the kernel */
export const x32Bit = 0x4000_0000;

/** What one kernel can run, the host's own first. */
const families: Readonly<Record<string, readonly SeccompArchitecture[]>> = {
  x86_64: ['x86_64', 'x86', 'x32'],
  aarch64: ['aarch64', 'arm'],
};

/** Names of the OCI runtime-spec that this package has no table for; they cannot run on its hosts either. */
const foreign = new Set(
  [
    ...['MIPS', 'MIPS64', 'MIPS64N32', 'MIPSEL', 'MIPSEL64', 'MIPSEL64N32', 'PPC', 'PPC64', 'PPC64LE', 'S390', 'S390X'],
    ...['PARISC', 'PARISC64', 'RISCV64', 'LOONGARCH64', 'M68K', 'SH', 'SHEB'],
  ].map((name) => `SCMP_ARCH_${name}`),
);

/** `x86_64` for Node's `x64`. @throws EngineError `UNSUPPORTED_HOST` where no system call table exists. */
export function seccompArchitecture(nodeArchitecture: string): HostArchitecture {
  const known: Readonly<Record<string, HostArchitecture>> = {
    x64: 'x86_64',
    ia32: 'x86',
    arm64: 'aarch64',
    arm: 'arm',
  };
  const found = Object.hasOwn(known, nodeArchitecture) ? known[nodeArchitecture] : undefined;
  if (found !== undefined) return found;
  throw new EngineError('UNSUPPORTED_HOST', {
    missing: `a system call table for ${nodeArchitecture}`,
    hint: 'supported are x64, arm64, ia32 and arm',
  });
}

/** The architectures of a filter: the host's, and of `listed` those that the host's kernel can run. */
export function filteredArchitectures(
  host: HostArchitecture,
  listed: readonly string[],
): ReadonlySet<SeccompArchitecture> {
  const possible = families[host] ?? [host];
  const names = new Map(Object.keys(architectureFacts).map((key) => [`SCMP_ARCH_${key.toUpperCase()}`, key]));
  for (const each of listed) {
    if (names.has(each) || foreign.has(each)) continue;
    throw new EngineError('INVALID_OPTION', {
      option: 'seccomp.architectures',
      expected: 'names like SCMP_ARCH_X86_64',
      got: each.slice(0, 200),
    });
  }
  return new Set([host, ...possible.filter((each) => listed.includes(`SCMP_ARCH_${each.toUpperCase()}`))]);
}

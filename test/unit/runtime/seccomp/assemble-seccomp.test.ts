import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import { allCapabilities, type Capability, resolveCapabilities } from '#lib/runtime/capabilities.js';
import {
  architectureFacts,
  type HostArchitecture,
  type SeccompArchitecture,
} from '#lib/runtime/seccomp/architecture.js';
import { assembleSeccomp } from '#lib/runtime/seccomp/assemble-seccomp.js';
import { defaultSeccompProfile } from '#lib/runtime/seccomp/default-profile.js';
import type { SeccompAction, SeccompCondition, SeccompProfile, SeccompRule } from '#lib/runtime/seccomp/profile.js';
import { syscallTable } from '#lib/runtime/seccomp/syscall-table.js';
import { runFilter } from '../../../helpers/bpf-interpreter.js';
import { evaluateProfile, outcomeOfValue, visibleArguments } from '../../../helpers/evaluate-profile.js';
import { type Random, seededRandom } from '../../../helpers/random.js';

const wide = 0x1_0000_0000n;
const interesting = [
  ...[0n, 1n, 2n, 8n, 16n, 31n, 32n, 37n, 38n, 39n, 40n, 41n, 63n, 64n, 0x7e02_0000n, 0x1000_0000n, 0x2_0008n],
  ...[0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, wide, wide + 38n, wide + 40n, 0xffff_ffff_ffff_ffffn],
];

function namesByNumber(architecture: SeccompArchitecture): Map<number, string[]> {
  const names = new Map<number, string[]>();
  for (const [name, number] of syscallTable(architecture).numbers) {
    names.set(number, [...(names.get(number) ?? []), name]);
  }
  return names;
}

/** Compares filter and profile for every call of `architecture`, known or not up to 60 beyond, and `argsList`. */
function assertEquivalent(
  profile: SeccompProfile,
  host: HostArchitecture,
  architecture: SeccompArchitecture,
  argsList: readonly (readonly bigint[])[],
): void {
  const filter = assembleSeccomp(profile, host);
  const { highest } = syscallTable(architecture);
  const names = namesByNumber(architecture);
  const first = architecture === 'x32' ? 0x4000_0000 : 0;
  const numbers = Array.from({ length: highest + 60 - first }, (_, index) => first + index);
  for (const number of [...numbers, ...names.keys()]) {
    const known = names.get(number) ?? [];
    for (const raw of argsList) {
      const args = visibleArguments(architecture, raw);
      const { value } = runFilter(filter, { architecture: architectureFacts[architecture].audit, number, args });
      const told = evaluateProfile(profile, { names: known, args });
      const newer = number > highest && known.length === 0;
      const expected = newer && told === 'errno 1' ? 'errno 38' : told;
      assert.equal(outcomeOfValue(value), expected, `${architecture} ${number} ${known} ${args}`);
    }
  }
}

const hosts: readonly (readonly [HostArchitecture, readonly SeccompArchitecture[]])[] = [
  ['x86_64', ['x86_64', 'x86']],
  ['aarch64', ['aarch64', 'arm']],
];

for (const [host, architectures] of hosts) {
  test(`the default profile's filter on ${host} does what the profile says, for every call`, () => {
    const sets: ReadonlySet<Capability>[] = [resolveCapabilities(), new Set(), new Set(allCapabilities)];
    for (const capabilities of sets) {
      const profile = defaultSeccompProfile({ capabilities, architecture: host });
      for (const architecture of architectures) {
        const argsList = interesting.map((value) => [value, value, 0n, 0n, 0n, value]);
        assertEquivalent(profile, host, architecture, argsList);
      }
    }
  });
}

const actions: readonly SeccompAction[] = [
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_LOG',
  'SCMP_ACT_NOTIFY',
];

const operators = ['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'] as const;

function randomProfile(random: Random, names: readonly string[]): SeccompProfile {
  const condition = (): SeccompCondition => ({
    index: random.below(6),
    op: `SCMP_CMP_${random.pick(operators)}`,
    value: random.pick(interesting),
    valueTwo: random.pick(interesting),
  });
  const withErrno = (action: SeccompAction): { errnoRet?: number } =>
    (action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE') && random.below(2) === 0
      ? { errnoRet: random.below(200) }
      : {};
  const rule = (): SeccompRule => {
    const action = random.pick(actions);
    const count = random.below(30) === 0 ? 150 : random.below(6) + 1;
    return {
      names: Array.from({ length: count }, () => random.pick(names)),
      action,
      ...withErrno(action),
      args: Array.from({ length: count > 6 ? 0 : random.below(4) }, condition),
    };
  };
  return {
    defaultAction: random.pick(actions),
    architectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32', 'SCMP_ARCH_ARM', 'SCMP_ARCH_S390X'],
    syscalls: Array.from({ length: random.below(25) }, rule),
  };
}

test('random profiles compile to filters that do what the profile says', () => {
  for (let seed = 1; seed <= 80; seed += 1) {
    const random = seededRandom(seed);
    const host = random.pick(['x86_64', 'aarch64'] as const);
    const architecture = random.pick(
      host === 'x86_64' ? (['x86_64', 'x86', 'x32'] as const) : (['aarch64', 'arm'] as const),
    );
    const names = [...syscallTable(architecture).numbers.keys(), 'no_such_call'];
    const argsList = Array.from({ length: 12 }, () => Array.from({ length: 6 }, () => random.pick(interesting)));
    assertEquivalent(randomProfile(random, names), host, architecture, argsList);
  }
});

test('a profile with an argument check in each of 300 calls is assembled with long jumps', () => {
  const names = [...syscallTable('x86_64').numbers.keys()].slice(0, 300);
  const rule = (name: string, index: number): SeccompRule => ({
    names: [name],
    action: 'SCMP_ACT_ALLOW',
    args: [{ index: index % 6, value: BigInt(index) * 0x1_0000_0001n, op: 'SCMP_CMP_GT' }],
  });
  const profile: SeccompProfile = { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 13, syscalls: names.map(rule) };
  assertEquivalent(profile, 'x86_64', 'x86_64', [[0n, 1n, 2n, 3n, 4n, 5n], Array(6).fill(0x64_0000_0064n)]);
});

test('an architecture that is not in the filter is killed', () => {
  const profile: SeccompProfile = { defaultAction: 'SCMP_ACT_ALLOW' };
  const filter = assembleSeccomp(profile, 'x86_64');
  const args = Array(6).fill(0n);
  for (const audit of [architectureFacts.x86.audit, architectureFacts.aarch64.audit, 0]) {
    assert.equal(outcomeOfValue(runFilter(filter, { architecture: audit, number: 0, args }).value), 'kill process');
  }
  assert.equal(outcomeOfValue(runFilter(filter, { architecture: 0xc000_003e, number: 0, args }).value), 'allow');
});

test('x32 calls do not slip past a profile that allows by default', () => {
  const profile: SeccompProfile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['mount'], action: 'SCMP_ACT_ERRNO' }],
  };
  const run = (each: SeccompProfile, number: number): string => {
    const call = { architecture: architectureFacts.x32.audit, number, args: Array(6).fill(0n) };
    return outcomeOfValue(runFilter(assembleSeccomp(each, 'x86_64'), call).value);
  };
  assert.equal(run(profile, 165), 'errno 1');
  assert.equal(run(profile, 0x4000_0000 + 165), 'errno 38');
  assert.equal(run(profile, 0x4000_0000), 'errno 38');
  assert.equal(run(profile, 0xffff_ffff), 'errno 38');
  const withX32 = { ...profile, architectures: ['SCMP_ARCH_X32'] };
  assert.equal(run(withX32, 0x4000_0000 + 165), 'errno 1');
  assert.equal(run(withX32, 0x4000_0000), 'allow');
});

test('the default filter decides in few steps and stays far below the limit of the kernel', () => {
  const profile = defaultSeccompProfile({ capabilities: resolveCapabilities(), architecture: 'x86_64' });
  const filter = assembleSeccomp(profile, 'x86_64');
  assert.ok(filter.length / 8 < 800, `${filter.length / 8} instructions`);
  for (const number of syscallTable('x86_64').numbers.values()) {
    const { steps } = runFilter(filter, { architecture: 0xc000_003e, number, args: [63n, 0n, 0n, 0n, 0n, 0n] });
    assert.ok(steps < 45, `${number}: ${steps} steps`);
  }
});

test('AF_ALG and AF_VSOCK cannot be reached, by dirty upper bits or socketcall either', () => {
  const profile = defaultSeccompProfile({ capabilities: new Set(allCapabilities), architecture: 'x86_64' });
  const filter = assembleSeccomp(profile, 'x86_64');
  const run = (architecture: SeccompArchitecture, name: string, arg: bigint): string => {
    const number = syscallTable(architecture).numbers.get(name);
    assert.ok(number !== undefined);
    const call = { architecture: architectureFacts[architecture].audit, number, args: [arg, 0n, 0n, 0n, 0n, 0n] };
    return outcomeOfValue(runFilter(filter, call).value);
  };
  for (const family of [38n, 40n]) {
    for (const upper of [0n, 1n, 0xffff_ffffn]) {
      assert.equal(run('x86_64', 'socket', (upper << 32n) + family), 'errno 1');
    }
    assert.equal(run('x86', 'socket', family), 'errno 1');
  }
  for (const family of [1n, 2n, 10n, 16n, 17n, 39n, 45n]) assert.equal(run('x86_64', 'socket', family), 'allow');
  assert.equal(run('x86', 'socketcall', 1n), 'errno 38');
  assert.equal(run('x86', 'socketcall', 3n), 'allow');
});

test('a wrong profile names the part that is wrong', () => {
  const allow = { defaultAction: 'SCMP_ACT_ALLOW' } as const;
  const rule = { names: ['read'], action: 'SCMP_ACT_ERRNO' } as const;
  const condition = { index: 0, value: 1, op: 'SCMP_CMP_EQ' } as const;
  const wrong: readonly (readonly [string, unknown])[] = [
    ['seccomp.default.action', { defaultAction: 'SCMP_ACT_MAYBE' }],
    ['seccomp.default.errnoRet', { ...allow, defaultErrnoRet: 1 }],
    ['seccomp.syscalls[0].errnoRet', { ...allow, syscalls: [{ ...rule, errnoRet: 5000 }] }],
    ['seccomp.syscalls[0].args[0].index', { ...allow, syscalls: [{ ...rule, args: [{ ...condition, index: 6 }] }] }],
    ['seccomp.syscalls[0].args[0].op', { ...allow, syscalls: [{ ...rule, args: [{ ...condition, op: 'EQ' }] }] }],
    [
      'seccomp.syscalls[0].args[0].value',
      { ...allow, syscalls: [{ ...rule, args: [{ ...condition, value: 2 ** 64 }] }] },
    ],
    ['seccomp.architectures', { ...allow, architectures: ['amd64'] }],
  ];
  for (const [option, profile] of wrong) {
    assert.throws(
      () => assembleSeccomp(profile as SeccompProfile, 'x86_64'),
      (error) => EngineError.is(error, 'INVALID_OPTION') && error.data.option === option,
      option,
    );
  }
});

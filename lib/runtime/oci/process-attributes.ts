import type { PlanOperation } from '../launch-plan.js';
import { invalidConfig } from './invalid-config.js';
import type { OciLinux } from './oci-linux.js';
import type { OciProcess } from './oci-process.js';
import { planScheduler } from './plan-scheduler.js';

/** Attributes that are set for the program right before its rights are given up. */
export function planAttributes(process: OciProcess, linux: OciLinux, path: string): PlanOperation[] {
  return [
    ...planLimits(process, path),
    { op: 'umask', mask: (process.user?.umask ?? 0o022) & 0o777 },
    ...planPersonality(linux),
    ...(process.scheduler === undefined ? [] : [planScheduler(process.scheduler)]),
    ...planIoPriority(process, path),
    ...planMemoryPolicy(linux),
  ];
}

/** In the order of their numbers, from 0. @see getrlimit(2), asm-generic/resource.h */
const limitNames = [
  ...['CPU', 'FSIZE', 'DATA', 'STACK', 'CORE', 'RSS', 'NPROC', 'NOFILE'],
  ...['MEMLOCK', 'AS', 'LOCKS', 'SIGPENDING', 'MSGQUEUE', 'NICE', 'RTPRIO', 'RTTIME'],
];

function planLimits({ rlimits = [] }: OciProcess, path: string): PlanOperation[] {
  const seen = new Set<string>();
  return rlimits.map(({ type, soft, hard }, index): PlanOperation => {
    const at = `${path}.rlimits[${index}]`;
    const resource = limitNames.indexOf(type.replace(/^RLIMIT_/, ''));
    if (!type.startsWith('RLIMIT_') || resource < 0) invalidConfig(`${at}.type`, `unknown limit '${type}'`);
    if (seen.has(type)) invalidConfig(`${at}.type`, `${type} is listed twice`);
    seen.add(type);
    const limits = { soft: BigInt.asUintN(64, soft), hard: BigInt.asUintN(64, hard) };
    if (limits.soft > limits.hard) invalidConfig(`${at}.soft`, `${limits.soft} exceeds the hard limit ${limits.hard}`);
    return { op: 'rlimit', resource, ...limits };
  });
}

/** @see personality(2) */
const domains: Readonly<Record<string, number>> = { LINUX: 0, LINUX32: 8 };

function planPersonality({ personality }: OciLinux): PlanOperation[] {
  if (personality === undefined) return [];
  const domain = Object.hasOwn(domains, personality.domain) ? domains[personality.domain] : undefined;
  if (domain === undefined) return invalidConfig('config.json.linux.personality.domain', 'expected LINUX or LINUX32');
  if ((personality.flags ?? []).length > 0)
    return invalidConfig('config.json.linux.personality.flags', 'no flag is defined');
  return [{ op: 'personality', domain }];
}

/** @see ioprio_set(2) */
const ioClasses: Readonly<Record<string, number>> = { IOPRIO_CLASS_RT: 1, IOPRIO_CLASS_BE: 2, IOPRIO_CLASS_IDLE: 3 };
const IOPRIO_CLASS_SHIFT = 13;

function planIoPriority({ ioPriority }: OciProcess, path: string): PlanOperation[] {
  if (ioPriority === undefined) return [];
  const ioClass = Object.hasOwn(ioClasses, ioPriority.class) ? ioClasses[ioPriority.class] : undefined;
  const priority = ioPriority.priority ?? 0;
  if (ioClass === undefined) return invalidConfig(`${path}.ioPriority.class`, `unknown class '${ioPriority.class}'`);
  if (priority < 0 || priority > 7) return invalidConfig(`${path}.ioPriority.priority`, 'expected 0 to 7');
  return [{ op: 'io-priority', value: (ioClass << IOPRIO_CLASS_SHIFT) | priority }];
}

/** @see set_mempolicy(2) */
const memoryModes: Readonly<Record<string, number>> = {
  MPOL_DEFAULT: 0,
  MPOL_PREFERRED: 1,
  MPOL_BIND: 2,
  MPOL_INTERLEAVE: 3,
  MPOL_LOCAL: 4,
  MPOL_PREFERRED_MANY: 5,
  MPOL_WEIGHTED_INTERLEAVE: 6,
};
const memoryFlags: Readonly<Record<string, number>> = {
  MPOL_F_NUMA_BALANCING: 1 << 13,
  MPOL_F_RELATIVE_NODES: 1 << 14,
  MPOL_F_STATIC_NODES: 1 << 15,
};

function planMemoryPolicy({ memoryPolicy }: OciLinux): PlanOperation[] {
  if (memoryPolicy === undefined) return [];
  const path = 'config.json.linux.memoryPolicy';
  const name = memoryPolicy.mode ?? '';
  const mode = Object.hasOwn(memoryModes, name) ? memoryModes[name] : undefined;
  if (mode === undefined) return invalidConfig(`${path}.mode`, `unknown mode '${name}'`);
  const flags = (memoryPolicy.flags ?? []).reduce((all, flag) => {
    const bit = Object.hasOwn(memoryFlags, flag) ? memoryFlags[flag] : undefined;
    return bit === undefined ? invalidConfig(`${path}.flags`, `unknown flag '${flag}'`) : all | bit;
  }, 0);
  const text = memoryPolicy.nodes ?? '';
  return [
    { op: 'memory-policy', mode: mode | flags, nodes: text === '' ? [] : parseNumberList(text, `${path}.nodes`) },
  ];
}

/** The largest number in a mask that is worth its bytes. */
const maxListed = 1023;

/** `0-2,7` to its numbers. */
export function parseNumberList(text: string, path: string): readonly number[] {
  const numbers = text.split(',').flatMap((range) => {
    const match = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(range);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match === null || first > last || last > maxListed)
      return invalidConfig(path, `expected numbers and ranges up to ${maxListed}, got '${text.slice(0, 200)}'`);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  return [...new Set(numbers)];
}

import type { Abortable } from '../core/abortable.js';
import { EngineError } from '../core/errors/engine-error.js';
import type { SeccompProfile } from '../runtime/seccomp/profile.js';
import type { ContainerOptions, ResourceOptions } from './container-options.js';
import type { IsolationOptions } from './isolation-options.js';

type Check = (value: unknown) => boolean;
type Shape = readonly [check: Check, expected: string];

const isText: Check = (value) => typeof value === 'string';
const isTruth: Check = (value) => typeof value === 'boolean';
const isFunction: Check = (value) => typeof value === 'function';
const isNumber: Check = (value) => typeof value === 'number';
const isObject: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const either =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every((each) => check(each));
const mapOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value as object).every((each) => check(each));
const absent: Check = (value) => value === undefined;

const text: Shape = [isText, 'a text'];
const texts: Shape = [listOf(isText), 'an array of texts'];
const number: Shape = [isNumber, 'a number'];
const truth: Shape = [isTruth, 'true or false'];
const size: Shape = [either(isNumber, isText), "bytes as a whole number or like '200m'"];
const objects = (expected: string): Shape => [listOf(isObject), expected];

const namespaceMode: Shape = [isText, "'private', 'host' or 'container:ID'"];
const isolationShapes: { readonly [Option in keyof Required<IsolationOptions>]: Shape } = {
  pid: namespaceMode,
  ipc: namespaceMode,
  uts: namespaceMode,
  userns: [either(isText, isObject), "'host' or { uids, gids }"],
  cgroupns: namespaceMode,
  devices: [listOf(either(isText, isObject)), "an array of devices like '/dev/fuse' or { source, target, access }"],
  deviceCgroupRules: texts,
  tmpfs: [mapOf(isText), 'an object of targets and options'],
  sysctls: [mapOf(isText), 'an object of texts'],
  init: truth,
  domainname: text,
  cgroupParent: text,
  writableCgroups: truth,
};

const deviceRates = objects('an array of { path, rate }');
const resourceShapes: { readonly [Option in keyof Required<ResourceOptions>]: Shape } = {
  memory: size,
  memorySwap: size,
  memoryReservation: size,
  cpus: number,
  cpuShares: number,
  cpuQuota: number,
  cpuPeriod: number,
  cpusetCpus: text,
  cpusetMems: text,
  pidsLimit: number,
  memorySwappiness: number,
  oomKillDisable: truth,
  blkioWeight: number,
  blkioWeightDevice: objects('an array of { path, weight }'),
  blkioDeviceReadBps: deviceRates,
  blkioDeviceWriteBps: deviceRates,
  blkioDeviceReadIops: deviceRates,
  blkioDeviceWriteIops: deviceRates,
  hugepageLimits: objects('an array of { pageSize, limit }'),
};

/** The form of each option; what its value may be is checked where it is used. */
const shapes: { readonly [Option in keyof Required<ContainerOptions & Abortable>]: Shape } = {
  image: text,
  rootfs: [isObject, '{ host: true } or { path, direct }'],
  command: texts,
  name: text,
  entrypoint: [either(isText, listOf(isText)), 'a text or an array of texts'],
  env: [either(listOf(isText), mapOf(either(isText, absent))), "an object of texts or an array of 'KEY=value'"],
  workingDir: text,
  hostname: text,
  labels: [mapOf(isText), 'an object of texts'],
  network: text,
  ports: texts,
  extraHosts: texts,
  mounts: [Array.isArray, 'an array of mounts'],
  readonly: truth,
  shmSize: size,
  ulimits: [isObject, 'an object of limits'],
  oomScoreAdj: number,
  stopSignal: [either(isNumber, isText), "a signal's name, or its number from 1 to 64"],
  stopTimeoutMs: number,
  lifetime: text,
  restart: [either(isText, isObject), "'no', 'always', 'unless-stopped', 'on-failure[:n]' or { policy, maxRetries }"],
  healthcheck: [isObject, 'an object of options'],
  pull: text,
  ...resourceShapes,
  ...isolationShapes,
  user: text,
  groupAdd: texts,
  capAdd: texts,
  capDrop: texts,
  noNewPrivileges: truth,
  privileged: truth,
  securityOpt: texts,
  maskedPaths: texts,
  readonlyPaths: texts,
  seccomp: [either(isText, isObject), "'default', 'unconfined' or a profile"],
  tty: [either(isTruth, isObject), 'true, false or { columns, rows }'],
  openStdin: truth,
  stdinOnce: truth,
  log: [either(isText, isObject, isFunction), "'none', { maxBytes, maxFiles } or a function"],
  signal: [isObject, 'an AbortSignal'],
};

const profileShapes: Readonly<Record<string, Shape>> = {
  defaultAction: text,
  defaultErrnoRet: number,
  architectures: texts,
  flags: texts,
  syscalls: objects('an array of rules'),
};

const ruleShapes: Readonly<Record<string, Shape>> = {
  names: texts,
  action: text,
  errnoRet: number,
  args: objects('an array of conditions'),
};

/**
 * Checks the form of all options, for programs without types. An option of another name is refused: a limit that is
 * misspelt must not be a limit that does not hold.
 *
 * @throws EngineError `INVALID_OPTION`.
 */
export function checkOptions(options: ContainerOptions & Abortable): void {
  check(options, '', shapes);
  if (typeof options.seccomp === 'object') checkProfile(options.seccomp, 'seccomp');
}

/** The form of a profile. @throws EngineError `INVALID_OPTION`. */
export function checkProfile(profile: SeccompProfile, option: string): void {
  check(profile, `${option}.`, profileShapes, ['defaultAction']);
  for (const [index, rule] of (profile.syscalls ?? []).entries()) {
    check(rule, `${option}.syscalls[${index}].`, ruleShapes, ['names', 'action']);
  }
}

/** The same for an update. @throws EngineError `INVALID_OPTION`. */
export function checkResourceOptions(options: ResourceOptions & Abortable): void {
  check(options, '', { ...resourceShapes, signal: shapes.signal });
}

function check(
  options: object,
  prefix: string,
  table: Readonly<Record<string, Shape>>,
  required: readonly string[] = [],
): void {
  for (const [option, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const shape = Object.hasOwn(table, option) ? table[option] : undefined;
    if (shape === undefined) throw invalid(`${prefix}${option}`, `one of ${Object.keys(table).join(', ')}`, value);
    if (!shape[0](value)) throw invalid(`${prefix}${option}`, shape[1], value);
  }
  for (const option of required) {
    const value: unknown = Reflect.get(options, option);
    if (value === undefined) throw invalid(`${prefix}${option}`, table[option]?.[1] ?? 'a value', value);
  }
}

/** Only the type of what was given: it may be a secret. */
function invalid(option: string, expected: string, value: unknown): EngineError {
  const got = Array.isArray(value) ? 'an array' : value === null ? 'null' : typeof value;
  return new EngineError('INVALID_OPTION', { option, expected, got });
}

import { lstatSync, readdirSync, type Stats, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { deviceNumber } from '../core/device-number.js';
import { type DeviceRule, defaultDeviceRules } from '../runtime/cgroup/device-rules.js';
import type { NodeOperation } from '../runtime/launch-plan.js';
import { invalidOption } from './invalid-option.js';
import type { DeviceMapping, IsolationOptions } from './isolation-options.js';

/** A device that a container was given. Its number is looked up at each start: another boot may number it anew. */
export interface ConfiguredDevice {
  readonly source: string;
  readonly target: string;
  readonly access: string;
}

/** Devices of a container, if it has any of its own. */
export interface DevicesConfig {
  readonly devices?: readonly ConfiguredDevice[];
  readonly deviceRules?: readonly DeviceRule[];
}

/** @throws EngineError `INVALID_OPTION`. */
export function resolveDevices({ devices = [], deviceCgroupRules = [] }: IsolationOptions): DevicesConfig {
  const resolved = devices.flatMap((each, index) => resolveDevice(each, `devices[${index}]`));
  const rules = deviceCgroupRules.flatMap(parseRule);
  return {
    ...(resolved.length > 0 && { devices: resolved }),
    ...(rules.length > 0 && { deviceRules: rules }),
  };
}

function resolveDevice(device: string | DeviceMapping, option: string): ConfiguredDevice[] {
  const { source, target = source, access = 'rwm' } = typeof device === 'string' ? parseDevice(device) : device;
  for (const path of [source, target]) {
    if (typeof path !== 'string' || !path.startsWith('/') || path.includes('\0'))
      throw invalidOption(option, 'absolute paths', String(path));
  }
  if (!/^(?!.*(.).*\1)[rwm]+$/.test(access)) throw invalidOption(option, 'access as some of r, w and m', access);
  const status = statSync(source, { throwIfNoEntry: false });
  if (status?.isDirectory()) {
    const inside = hostDevices(source);
    return inside.map((path) => ({ source: path, target: join(target, path.slice(source.length)), access }));
  }
  if (status === undefined || !isDevice(status)) throw invalidOption(option, 'a device of the host', source);
  return [{ source, target: posix.normalize(target), access }];
}

/** `/dev/x`, `/dev/x:/dev/y`, `/dev/x:rw`, `/dev/x:/dev/y:rw`. */
function parseDevice(text: string): DeviceMapping {
  const parts = text.split(':');
  const [source = '', second, third] = parts;
  if (parts.length > 3) throw invalidOption('devices', "a device like '/dev/fuse:/dev/fuse:rwm'", text);
  if (second === undefined) return { source };
  if (third !== undefined) return { source, target: second, access: third };
  return second.startsWith('/') ? { source, target: second } : { source, access: second };
}

/** @see kernel Documentation/admin-guide/cgroup-v1/devices.rst */
function parseRule(text: string): DeviceRule[] {
  const match = /^([abc]) (\d{1,9}|\*):(\d{1,9}|\*) ([rwm]{1,3})$/.exec(text);
  if (match === null) throw invalidOption('deviceCgroupRules', "rules like 'c 1:3 rwm'", text);
  const [, kind, major = '', minor = '', access = ''] = match;
  const number = (each: string): number | '*' => (each === '*' ? '*' : Number(each));
  const types = kind === 'a' ? (['char', 'block'] as const) : ([kind === 'c' ? 'char' : 'block'] as const);
  return types.map((type) => ({ type, major: number(major), minor: number(minor), access }));
}

const everything: readonly DeviceRule[] = [
  { type: 'char', major: '*', minor: '*', access: 'rwm' },
  { type: 'block', major: '*', minor: '*', access: 'rwm' },
];

/** What the cgroup lets through; undefined is the default. */
export function deviceRulesOf(
  config: DevicesConfig & { readonly privileged?: boolean },
): readonly DeviceRule[] | undefined {
  const { devices = [], deviceRules = [] } = config;
  if (config.privileged === true) return everything;
  if (devices.length === 0 && deviceRules.length === 0) return undefined;
  const own = devices.flatMap(({ source, access }): DeviceRule[] => {
    const status = statSync(source, { throwIfNoEntry: false });
    if (status === undefined || !isDevice(status)) return [];
    return [{ type: status.isBlockDevice() ? 'block' : 'char', ...deviceNumber(status.rdev), access }];
  });
  return [...defaultDeviceRules, ...own, ...deviceRules];
}

/** The nodes that a container has beside the usual ones. */
export function deviceNodesOf(config: DevicesConfig & { readonly privileged?: boolean }): readonly NodeOperation[] {
  const listed = config.devices ?? [];
  const host = config.privileged === true ? hostDevices('/dev').map((path) => ({ source: path, target: path })) : [];
  const others = host.filter(({ target }) => !listed.some((each) => each.target === target));
  return [...others, ...listed].flatMap(({ source, target }) => nodeOf(source, target));
}

function nodeOf(source: string, target: string): NodeOperation[] {
  const status = statSync(source, { throwIfNoEntry: false });
  if (status === undefined || !isDevice(status)) return []; // unplugged since
  const { uid, gid, mode } = status;
  const kind = status.isBlockDevice() ? 'block' : 'char';
  return [{ op: 'node', path: target, kind, mode: mode & 0o7777, ...deviceNumber(status.rdev), uid, gid }];
}

const isDevice = (status: Stats): boolean => status.isBlockDevice() || status.isCharacterDevice();

/** Terminals and shared memory are the container's own, and so are the usual devices. */
const ownInside = ['/dev/pts', '/dev/shm', '/dev/mqueue', '/dev/fd', '/dev/hugepages', '/dev/console', '/dev/ptmx'];
const usual = ['null', 'zero', 'full', 'random', 'urandom', 'tty'].map((name) => `/dev/${name}`);

/** Device nodes at and below a directory, without following links. */
function hostDevices(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (ownInside.includes(path) || usual.includes(path)) return [];
    if (entry.isDirectory()) return hostDevices(path);
    return lstatSync(path, { throwIfNoEntry: false })?.isFile() === false && !entry.isSymbolicLink() ? [path] : [];
  });
}

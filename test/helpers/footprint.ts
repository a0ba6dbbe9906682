import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { eventually } from './eventually.js';

const run = promisify(execFile);

/**
 * What of this machine a container engine could leave behind, each thing as one line of text, sorted. Equal footprints
 * mean: no mount, interface, firewall rule, cgroup, process, file descriptor, socket or file came or went.
 */
export interface Footprint {
  readonly parts: Readonly<Record<FootprintPart, readonly string[]>>;
  readonly options: FootprintOptions;
}

export type FootprintPart =
  | 'mount'
  | 'network interface'
  | 'firewall'
  | 'cgroup'
  | 'process'
  | 'file descriptor'
  | 'listening socket'
  | 'file';

export interface FootprintOptions {
  /** Directories whose files count, at any depth. A directory that does not exist has none. Default: none. */
  readonly roots?: readonly string[];
  /** Parts that are not looked at, for a test that changes them on purpose. Default: none. */
  readonly except?: readonly FootprintPart[];
}

const readers: Readonly<Record<FootprintPart, (options: FootprintOptions) => Promise<string[]>>> = {
  mount: mounts,
  'network interface': () => readdir('/sys/class/net'),
  firewall,
  cgroup: cgroups,
  process: processes,
  'file descriptor': fileDescriptors,
  'listening socket': listeningSockets,
  file: (options) => files(options.roots ?? []),
};

/** Takes the footprint of the machine as it is now. */
export async function footprint(options: FootprintOptions = {}): Promise<Footprint> {
  const parts = {} as Record<FootprintPart, readonly string[]>;
  for (const [part, read] of Object.entries(readers) as [FootprintPart, (typeof readers)[FootprintPart]][]) {
    parts[part] = options.except?.includes(part) ? [] : (await read(options)).sort();
  }
  return { parts, options };
}

/**
 * Takes the footprint once no more containers than `bridged` have an interface on a bridge: the kernel takes a network
 * namespace apart a little after its last process ended, and an earlier run's interface must not count.
 */
export async function settledFootprint(options: FootprintOptions = {}, bridged = 0): Promise<Footprint> {
  await eventually('the interfaces of earlier runs are gone', async () => {
    const names = await readdir('/sys/class/net');
    return names.filter((name) => name.startsWith('tsv')).length === bridged;
  });
  return footprint(options);
}

/** The differences, one line each: "+ mount: …" appeared, "- mount: …" disappeared. */
export function footprintDifferences(before: Footprint, after: Footprint): string[] {
  return (Object.keys(readers) as FootprintPart[]).flatMap((part) => {
    const was = before.parts[part];
    const is = after.parts[part];
    return [
      ...surplus(is, was).map((line) => `+ ${part}: ${line}`),
      ...surplus(was, is).map((line) => `- ${part}: ${line}`),
    ];
  });
}

/**
 * Takes footprints until one equals `before`, and returns the differences of the last one. The kernel takes network
 * namespaces and cgroups down after the process that held them was reaped: hence a bounded wait and not one look.
 */
export async function waitForSameFootprint(before: Footprint, timeoutMs = 2_000): Promise<string[]> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const differences = footprintDifferences(before, await footprint(before.options));
    if (differences.length === 0 || Date.now() >= deadline) return differences;
    await delay(20);
  }
}

/** Fails with the differences when the machine is not again as it was within two seconds. */
export async function assertSameFootprint(before: Footprint): Promise<void> {
  const differences = await waitForSameFootprint(before);
  if (differences.length > 0) throw new Error(`the machine is not as it was before:\n  ${differences.join('\n  ')}`);
}

/** Multiset difference: two equal lines (one directory mounted twice) count twice. */
function surplus(lines: readonly string[], over: readonly string[]): string[] {
  const left = [...over];
  return lines.filter((line) => {
    const index = left.indexOf(line);
    if (index === -1) return true;
    left.splice(index, 1);
    return false;
  });
}

async function mounts(): Promise<string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).trimEnd().split('\n');
  return lines.map((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const [, , , source, target] = left.split(' ');
    return `${target} (${source} of ${right})`;
  });
}

/** The whole ruleset where `nft` is installed, without the counters and handles that change by themselves. */
async function firewall(): Promise<string[]> {
  try {
    const { stdout } = await run('nft', ['--stateless', 'list', 'ruleset'], { maxBuffer: 64 * 1024 * 1024 });
    const tables = stdout.split(/^(?=table )/m).filter((text) => text.startsWith('table '));
    return tables.map((text) => {
      const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
      return `${text.slice(0, text.indexOf('{')).trim()} (${hash})\n${indent(text)}`;
    });
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    // Not installed, or not allowed to look: an ordinary user cannot have changed a rule either.
    if (code === 'ENOENT' || process.geteuid?.() !== 0) return [];
    throw error;
  }
}

const shownLines = 20;

const indent = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .slice(1, shownLines)
    .map((line) => `      ${line}`)
    .join('\n');

/** Cgroup directories of the engine (its name in the path), and whatever is below them, in every hierarchy. */
async function cgroups(): Promise<string[]> {
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8');
  const roots = mountinfo
    .split('\n')
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => line.split(' ')[4] ?? '');
  const found = await Promise.all(roots.map((root) => directoriesBelow(root)));
  return found.flat().filter((path) => path.includes('tscontainer'));
}

async function directoriesBelow(directory: string): Promise<string[]> {
  const entries = await entriesOf(directory);
  const children = entries.filter((entry) => entry.isDirectory()).map((entry) => join(directory, entry.name));
  const deeper = await Promise.all(children.map((child) => directoriesBelow(child)));
  return [...children, ...deeper.flat()];
}

/** Descendants of this process, and shims and processes in containers wherever they are: orphans get another parent. */
async function processes(): Promise<string[]> {
  const ownNamespace = await readlink('/proc/self/ns/pid');
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const all = new Map<number, { parent: number; name: string; state: string; isContained: boolean }>();
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
    if (stat === undefined) continue; // ended since the directory was read
    const namespace = await readlink(`/proc/${pid}/ns/pid`).catch(() => ownNamespace);
    const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    all.set(Number(pid), { parent: Number(parent), name, state, isContained: namespace !== ownNamespace });
  }
  const isDescendant = (pid: number): boolean => {
    for (let at = all.get(pid); at !== undefined; at = all.get(at.parent)) if (at.parent === process.pid) return true;
    return false;
  };
  return [...all]
    .filter(([pid, each]) => each.isContained || each.name.startsWith('tscontainer') || isDescendant(pid))
    .filter(([, each]) => !isLeftToTheSystem(each))
    .map(([pid, { name, state }]) => `${identityOf(pid, name)}${state === 'Z' ? ' (zombie)' : ''}`);
}

/** An orphan that has ended holds nothing but its number, and only process 1 of the machine can free that, at leisure. */
const isLeftToTheSystem = ({ state, parent }: { state: string; parent: number }): boolean =>
  state === 'Z' && parent === 1;

/** The one that stands by for the next process is always another. */
const identityOf = (pid: number, name: string): string => (name === 'tscontainer-idl' ? name : `${pid} ${name}`);

/** By what they refer to, not by number: numbers are reused in any order. */
async function fileDescriptors(): Promise<string[]> {
  const numbers = await readdir('/proc/self/fd');
  const targets = await Promise.all(numbers.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => undefined)));
  return targets.filter(
    (target): target is string =>
      target !== undefined && !target.startsWith(`/proc/${process.pid}/fd`) && !ofNode(target),
  );
}

/** Descriptors that Node opens for itself whenever it likes say nothing about what the test holds. */
const ofNode = (target: string): boolean =>
  /^anon_inode:(\[(eventpoll|eventfd|io_uring|timerfd)\]|inotify)$/.test(target);

async function listeningSockets(): Promise<string[]> {
  const found: string[] = [];
  for (const protocol of ['tcp', 'tcp6', 'udp', 'udp6']) {
    const lines = await readFile(`/proc/self/net/${protocol}`, 'utf8').catch(() => '');
    for (const line of lines.trimEnd().split('\n').slice(1)) {
      const [, local = '', , state] = line.trim().split(/\s+/);
      const isBound = state === (protocol.startsWith('tcp') ? '0A' : '07');
      if (isBound) found.push(`${protocol} ${local} (port ${Number.parseInt(local.split(':')[1] ?? '', 16)})`);
    }
  }
  const unix = await readFile('/proc/self/net/unix', 'utf8').catch(() => '');
  for (const line of unix.trimEnd().split('\n').slice(1)) {
    const [, , , flags = '', , , , path] = line.trim().split(/\s+/);
    const accepts = (Number.parseInt(flags, 16) & 0x1_0000) !== 0;
    if (accepts && path !== undefined) found.push(`unix ${path}`);
  }
  return found;
}

async function files(roots: readonly string[]): Promise<string[]> {
  const found = await Promise.all(roots.map((root) => pathsBelow(root)));
  return found.flat();
}

async function pathsBelow(directory: string): Promise<string[]> {
  const entries = await entriesOf(directory);
  const nested = entries.map(async (entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? [path, ...(await pathsBelow(path))] : [path];
  });
  return (await Promise.all(nested)).flat();
}

/** A directory that is being removed while it is read counts as gone. */
async function entriesOf(directory: string): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENODEV') return [];
    throw error;
  }
}

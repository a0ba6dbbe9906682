import { existsSync } from 'node:fs';
import { readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runChecked } from '../helpers/run-checked.js';

const forwarding = '/proc/sys/net/ipv4/ip_forward';

/** Where the peers keep what no option of theirs moves elsewhere. */
const peerDirectories = [
  ...['/etc/cni', '/etc/docker', '/run/containers', '/run/crun', '/run/docker', '/run/containerd', '/run/libpod'],
  ...['/var/cache/containers', '/var/lib/cni', '/var/lib/containers'],
];

/**
 * Remembers what the peers change on the machine without undoing it (firewall tables, forwarding, bridges, cgroup
 * parents, mounts below `directory`, directories that were not there) and puts it back on disposal.
 */
export async function rememberHostState(directory: string): Promise<AsyncDisposable> {
  const before = await readState();
  return {
    async [Symbol.asyncDispose]() {
      const after = await readState();
      await unmountBelow(directory);
      for (const link of added(after.bridges, before.bridges)) await runChecked('ip', ['link', 'delete', link]);
      for (const table of added(after.tables, before.tables))
        await runChecked('nft', ['delete', 'table', ...table.split(' ')]);
      for (const cgroup of added(after.cgroups, before.cgroups).reverse()) await rmdir(cgroup);
      for (const each of added(after.directories, before.directories)) await rm(each, { recursive: true });
      if (after.forwarding !== before.forwarding) await writeFile(forwarding, before.forwarding);
    },
  };
}

interface HostState {
  readonly bridges: readonly string[];
  readonly tables: readonly string[];
  readonly cgroups: readonly string[];
  readonly directories: readonly string[];
  readonly forwarding: string;
}

async function readState(): Promise<HostState> {
  return {
    bridges: await peerBridges(),
    tables: await peerTables(),
    cgroups: await peerCgroups(),
    directories: peerDirectories.filter((each) => existsSync(each)),
    forwarding: await readFile(forwarding, 'utf8'),
  };
}

const added = (after: readonly string[], before: readonly string[]): string[] =>
  after.filter((each) => !before.includes(each));

const peerBridges = async (): Promise<string[]> =>
  (await readdir('/sys/class/net')).filter((name) => /^(cni-)?podman\d+$/.test(name));

/** The tables that iptables makes; those of other programs are none of our business. */
async function peerTables(): Promise<string[]> {
  const output = await runChecked('nft', ['list', 'tables']);
  return [...output.matchAll(/^table (ip6? (?:filter|nat|mangle|raw))$/gm)].map(([, table = '']) => table);
}

/** Parents of the peers' cgroups, outermost first. */
async function peerCgroups(): Promise<string[]> {
  const found: string[] = [];
  for (const root of await cgroupRoots()) {
    const names = await readdir(root);
    for (const name of names.filter((each) => /^(libpod_parent|tscontainer-bench.*)$/.test(each))) {
      const nested = await readdir(join(root, name), { withFileTypes: true });
      found.push(
        join(root, name),
        ...nested.filter((each) => each.isDirectory()).map((each) => join(root, name, each.name)),
      );
    }
  }
  return found;
}

async function cgroupRoots(): Promise<string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines.filter((line) => / - cgroup2? /.test(line)).map((line) => line.split(' ')[4] ?? '');
}

async function unmountBelow(directory: string): Promise<void> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  const targets = lines.map((line) => line.split(' ')[4] ?? '').filter((target) => target.startsWith(`${directory}/`));
  for (const target of targets.reverse()) await runChecked('umount', [target]);
}

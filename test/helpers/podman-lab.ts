import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runChecked } from './run-checked.js';
import { type ProgramResult, runProgram } from './run-program.js';

const main = fileURLToPath(new URL('../../../dist/cli/oci/main.js', import.meta.url));
/** On the disk: overlay does not go on top of every temporary file system. */
const PLACE = '/var/lib/tsc-podman-';

/** What podman lowers its own hard limit of processes to: it cannot ask for more afterwards. */
const PODMANS_OWN_PROCESSES = 32 * 1024;

/** podman with storage, settings and a group of its own, driving `tscontainer-oci`. Everything goes with the test. */
export interface PodmanLab {
  /** Runs podman to its end. */
  podman(...words: readonly string[]): Promise<ProgramResult>;
  /** The same on a terminal of 101 by 33 characters; what it prints is in `stdout`. */
  podmanOnTerminal(...words: readonly string[]): Promise<ProgramResult>;
  /** For `podman run` and `create`: where the container goes on the host. */
  readonly group: string;
  /** Makes a Debian image of the files below a directory. */
  importImage(root: string, name: string): Promise<void>;
}

export async function openPodmanLab(context: TestContext): Promise<PodmanLab> {
  const directory = await mkdtemp(PLACE);
  const group = `/tsc-podman-${process.pid}`;
  const settings = await writeSettings(directory);
  const environment = { PATH: process.env['PATH'], HOME: directory, ...settings };
  const entries = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
  const run = (words: readonly string[]): Promise<ProgramResult> => runProgram('env', ['-i', ...entries, ...words]);
  const podman = (...words: readonly string[]): Promise<ProgramResult> => run(['podman', ...words]);
  context.after(async () => {
    await podman('rm', '--force', '--all', '--time', '0');
    await podman('rmi', '--force', '--all');
    await removeGroups(group);
    await rm(directory, { recursive: true });
  });
  return {
    podman,
    podmanOnTerminal: (...words) => {
      const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
      return run([
        'script',
        '--quiet',
        '--return',
        '--command',
        `stty rows 33 cols 101; podman ${quoted}`,
        '/dev/null',
      ]);
    },
    group,
    importImage: async (root, name) => {
      await runChecked('sh', [
        '-euc',
        'tar -C "$0" -c . | "$@"',
        root,
        'env',
        '-i',
        ...entries,
        'podman',
        'import',
        '-',
        name,
      ]);
    },
  };
}

/** @see containers.conf(5), containers-storage.conf(5) */
async function writeSettings(directory: string): Promise<Record<string, string>> {
  const runtime = join(directory, 'tscontainer-oci');
  await writeFile(
    runtime,
    `#!/bin/sh\nexec '${process.execPath}' '${main}' --root '${join(directory, 'state')}' "$@"\n`,
    { mode: 0o755 },
  );
  const engine = join(directory, 'containers.conf');
  const lines = {
    runtime,
    cgroup_manager: 'cgroupfs',
    events_logger: 'none',
    lock_type: 'file', // the default leaves a file in /dev/shm
    tmp_dir: join(directory, 'tmp'), // the other directories follow the storage
  };
  const text = Object.entries(lines).map(([key, value]) => `${key} = "${value}"\n`);
  // Else podman asks for more than this host lets anybody have: a hard limit is raised with CAP_SYS_RESOURCE only.
  const { stdout } = await runProgram('prlimit', ['--nofile', '--nproc', '--noheadings', '--raw', '--output', 'HARD']);
  const [files, allowed] = stdout.trim().split('\n');
  const processes = allowed === 'unlimited' ? PODMANS_OWN_PROCESSES : Math.min(Number(allowed), PODMANS_OWN_PROCESSES);
  const limits = `default_ulimits = ["nofile=${files}:${files}", "nproc=${processes}:${processes}"]\n`;
  await writeFile(engine, `[containers]\n${limits}[engine]\n${text.join('')}`);
  const storage = join(directory, 'storage.conf');
  const [graph, scratch] = [join(directory, 'graph'), join(directory, 'run')];
  for (const each of [graph, scratch]) await mkdir(each);
  await writeFile(storage, `[storage]\ndriver = "overlay"\ngraphroot = "${graph}"\nrunroot = "${scratch}"\n`);
  return { CONTAINERS_CONF: engine, CONTAINERS_STORAGE_CONF: storage, TMPDIR: directory };
}

/** A runtime leaves the groups above the container's. */
async function removeGroups(group: string): Promise<void> {
  const roots = existsSync('/sys/fs/cgroup/cgroup.controllers') ? [''] : await readdir('/sys/fs/cgroup');
  for (const root of new Set(roots)) {
    const top = join('/sys/fs/cgroup', root, group);
    if (!existsSync(top)) continue;
    const all = await readdir(top, { recursive: true, withFileTypes: true });
    const directories = all.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
    for (const each of [...directories.sort().reverse(), top]) await rmdir(each);
  }
}

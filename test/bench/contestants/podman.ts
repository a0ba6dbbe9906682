import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runChecked } from '../../helpers/run-checked.js';
import type { ContestantFactory } from '../contestant.js';
import { programVersion } from '../program-version.js';
import { countOutput, spawnQuietly } from '../spawn-quietly.js';

const limits = ['--ulimit', 'nofile=1024:4096', '--ulimit', 'nproc=1024:4096'];

/**
 * podman by its command line, with storage, state and network configuration of its own. Its containers get low limits: the
 * default raises them, for which root lacks the capability on some machines.
 */
export const podman: ContestantFactory = async ({ directory, busyboxReference }) => {
  const version = await programVersion('podman');
  if (version === undefined) return { missing: 'podman is not installed' };
  for (const name of ['root', 'run', 'tmp', 'networks']) await mkdir(join(directory, name));
  const base = [
    ...['--root', join(directory, 'root')],
    ...['--runroot', join(directory, 'run')],
    ...['--tmpdir', join(directory, 'tmp')],
    ...['--network-config-dir', join(directory, 'networks')],
    ...['--cgroup-manager', 'cgroupfs', '--events-backend', 'file', '--storage-driver', 'overlay'],
  ];
  const pull = (reference: string) =>
    spawnQuietly('podman', [...base, 'pull', '--quiet', '--tls-verify=false', reference]);
  await pull(busyboxReference);
  const logDrivers = { none: 'none', default: 'k8s-file' };
  return {
    name: 'podman',
    version,
    networks: ['none', 'bridge'],
    run: (network) =>
      spawnQuietly('podman', [...base, 'run', '--rm', ...limits, '--network', network, busyboxReference, '/bin/true']),
    async startIdle() {
      const options = ['run', '--detach', ...limits, '--network', 'none', busyboxReference, 'sleep', '100000'];
      const id = (await runChecked('podman', [...base, ...options])).trim();
      return {
        exec: () => spawnQuietly('podman', [...base, 'exec', id, '/bin/true']),
        remove: () => spawnQuietly('podman', [...base, 'rm', '--force', '--time', '0', id]),
      };
    },
    helperProcesses: ['conmon'],
    pull,
    removeImage: (reference) => spawnQuietly('podman', [...base, 'rmi', '--force', reference]),
    pullsInProcess: false,
    readOutput: (command, log) =>
      countOutput('podman', [
        ...base,
        ...['run', '--rm', ...limits, '--network', 'none', '--log-driver', logDrivers[log], busyboxReference],
        ...command,
      ]),
    logs: ['none', 'default'],
    async [Symbol.asyncDispose]() {
      await spawnQuietly('podman', [...base, 'rm', '--all', '--force', '--time', '0']);
    },
  };
};

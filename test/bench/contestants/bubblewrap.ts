import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ContestantFactory } from '../contestant.js';
import { programVersion } from '../program-version.js';
import { countOutput, spawnQuietly } from '../spawn-quietly.js';

/** A sandbox without images, cgroups or state: as much isolation as a command line gives. */
export const bubblewrap: ContestantFactory = async ({ busyboxRoot }) => {
  const version = await programVersion('bwrap');
  if (version === undefined) return { missing: 'bwrap is not installed' };
  const sandbox = [
    '--unshare-all',
    '--ro-bind',
    busyboxRoot,
    '/',
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--tmpfs',
    '/tmp',
  ];
  return {
    name: 'bwrap',
    version,
    networks: ['none'],
    run: () => spawnQuietly('bwrap', [...sandbox, '/bin/true']),
    async startIdle() {
      const child = spawn('bwrap', [...sandbox, '--die-with-parent', 'sh', '-c', 'echo up; exec sleep 100000'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      return {
        async remove() {
          child.kill('SIGKILL');
          await once(child, 'close');
        },
      };
    },
    helperProcesses: ['bwrap'],
    pullsInProcess: false,
    readOutput: (command) => countOutput('bwrap', [...sandbox, ...command]),
    logs: ['none'],
    async [Symbol.asyncDispose]() {},
  };
};

import { join } from 'node:path';
import type { ContestantFactory } from '../contestant.js';
import { countOutput, spawnQuietly } from '../spawn-quietly.js';

/** No container at all: the same programs as plain child processes. What everybody else is compared with. */
export const childProcess: ContestantFactory = async ({ busyboxRoot }) => {
  const busybox = join(busyboxRoot, 'bin', 'busybox');
  return {
    name: 'child_process',
    version: process.version,
    networks: ['none'],
    run: () => spawnQuietly(busybox, ['true']),
    helperProcesses: [],
    pullsInProcess: false,
    readOutput: (command) => countOutput(busybox, command, { PATH: join(busyboxRoot, 'bin'), ROOT: busyboxRoot }),
    logs: ['none'],
    async [Symbol.asyncDispose]() {},
  };
};

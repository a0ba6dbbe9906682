import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { runChecked } from '../helpers/run-checked.js';

const bridge = 'tscbench0';
const subnet = '10.213.87.1/24';

export interface PrivateDockerEngine extends AsyncDisposable {
  readonly socketPath: string;
}

/**
 * Starts a Docker Engine beside whatever else runs here: its directories, socket, cgroup parent and bridge are its own,
 * and it writes no firewall rule (which makes its containers start sooner than they do by default, not later).
 */
export async function startPrivateDockerEngine(directory: string): Promise<PrivateDockerEngine> {
  const socketPath = join(directory, 'docker.sock');
  for (const name of ['data', 'exec']) await mkdir(join(directory, name), { recursive: true });
  // Without a file of its own it would read the machine's.
  const configuration = join(directory, 'daemon.json');
  await writeFile(configuration, '{}');
  await runChecked('ip', ['link', 'add', bridge, 'type', 'bridge']);
  try {
    await runChecked('ip', ['address', 'add', subnet, 'dev', bridge]);
    await runChecked('ip', ['link', 'set', bridge, 'up']);
    const stop = await startDaemon([
      ...['--data-root', join(directory, 'data'), '--exec-root', join(directory, 'exec')],
      ...['--pidfile', join(directory, 'docker.pid'), '--host', `unix://${socketPath}`],
      ...['--bridge', bridge, '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'],
      ...['--userland-proxy=false', '--exec-opt', 'native.cgroupdriver=cgroupfs'],
      ...['--cgroup-parent', '/tscontainer-bench-docker', '--config-file', configuration],
    ]);
    return {
      socketPath,
      async [Symbol.asyncDispose]() {
        await stop();
        await runChecked('ip', ['link', 'delete', bridge]);
      },
    };
  } catch (error) {
    await runChecked('ip', ['link', 'delete', bridge]);
    throw error;
  }
}

/** Resolves when the daemon says that it listens, with a function that ends it. */
async function startDaemon(args: readonly string[]): Promise<() => Promise<void>> {
  const daemon = spawn('dockerd', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const log: string[] = [];
  const ended = new Promise<void>((resolve) => {
    daemon.once('close', () => resolve());
    daemon.once('error', (error) => {
      log.push(error.message);
      resolve();
    });
  });
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: daemon.stderr }).on('line', (line) => {
      if (log.length < 200) log.push(line);
      if (line.includes('API listen on')) resolve();
    });
    void ended.then(() => reject(new Error(`dockerd did not start:\n${log.slice(-10).join('\n')}`)));
  });
  return async () => {
    daemon.kill('SIGTERM');
    await ended;
  };
}

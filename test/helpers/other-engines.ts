import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { privately } from './private-run.js';
import { runChecked } from './run-checked.js';

/** Runs a command of another program, on directories of its own, and gives what it prints. */
export type Command = (...args: readonly string[]) => Promise<string>;

/** skopeo with its caches and logins below `directory`. */
export async function skopeoIn(directory: string): Promise<Command> {
  const env = await homeIn(directory);
  return (...args) => runChecked('skopeo', ['--insecure-policy', ...args], { env });
}

/** podman with its storage below `directory`. */
export async function podmanIn(directory: string): Promise<Command> {
  const env = await homeIn(directory);
  const places = ['--root', join(directory, 'storage'), '--runroot', join(directory, 'run')];
  const quiet = ['--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'];
  const options = [...places, ...quiet, '--tmpdir', join(directory, 'tmp')];
  const policy = join(directory, 'policy.json');
  await writeFile(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  return (command = '', ...args) => {
    const trust = command === 'pull' ? ['--signature-policy', policy] : [];
    return runChecked('unshare', privately('podman', [...options, command, ...trust, ...args]), { env });
  };
}

/** Docker's client on a Docker Engine of its own, which ends with it and runs no containers. */
export async function dockerIn(directory: string): Promise<{ readonly docker: Command } & AsyncDisposable> {
  const env = await homeIn(directory);
  for (const name of ['data', 'exec']) await mkdir(join(directory, name), { recursive: true });
  const configuration = join(directory, 'daemon.json');
  await writeFile(configuration, '{}');
  const socket = `unix://${join(directory, 'docker.sock')}`;
  const daemon = spawn(
    'unshare',
    privately('dockerd', [
      ...['--data-root', join(directory, 'data'), '--exec-root', join(directory, 'exec'), '--host', socket],
      ...['--pidfile', join(directory, 'docker.pid'), '--config-file', configuration, '--bridge', 'none'],
      ...['--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'],
      ...['--exec-opt', 'native.cgroupdriver=cgroupfs', '--storage-driver', 'vfs'],
    ]),
    { stdio: ['ignore', 'ignore', 'pipe'], env },
  );
  const log: string[] = [];
  const ended = once(daemon, 'close');
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: daemon.stderr }).on('line', (line) => {
      if (log.length < 200) log.push(line);
      if (line.includes('API listen on')) resolve();
    });
    void ended.then(() => reject(new Error(`dockerd did not start:\n${log.slice(-10).join('\n')}`)));
  });
  return {
    docker: (...args) => runChecked('docker', ['--host', socket, ...args], { env }),
    async [Symbol.asyncDispose]() {
      daemon.kill('SIGTERM');
      await ended;
    },
  };
}

async function homeIn(directory: string): Promise<NodeJS.ProcessEnv> {
  const home = join(directory, 'home');
  await mkdir(home, { recursive: true });
  const { REGISTRY_AUTH_FILE: _, DOCKER_CONFIG: __, ...env } = process.env;
  return { ...env, HOME: home, TMPDIR: home, XDG_RUNTIME_DIR: home };
}

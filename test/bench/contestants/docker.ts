import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import Docker from 'dockerode';
import type { Contestant, ContestantFactory } from '../contestant.js';
import { startPrivateDockerEngine } from '../private-docker-engine.js';
import { programVersion } from '../program-version.js';

/** Docker Engine through dockerode: the way of a Node program today. */
export const docker: ContestantFactory = async ({ directory, busyboxReference }) => {
  const version = await programVersion('dockerd');
  if (version === undefined) return { missing: 'dockerd is not installed' };
  const daemon = await startPrivateDockerEngine(directory);
  try {
    const client = new Docker({ socketPath: daemon.socketPath });
    await pull(client, busyboxReference);
    return contestant(client, version, busyboxReference, daemon);
  } catch (error) {
    await daemon[Symbol.asyncDispose]();
    throw error;
  }
};

function contestant(client: Docker, version: string, image: string, daemon: AsyncDisposable): Contestant {
  return {
    name: 'docker',
    version,
    networks: ['none', 'bridge'],
    async run(network) {
      const container = await client.createContainer({
        Image: image,
        Cmd: ['/bin/true'],
        HostConfig: { NetworkMode: network },
      });
      await container.start();
      const { StatusCode } = await container.wait();
      await container.remove();
      if (StatusCode !== 0) throw new Error(`docker: /bin/true ended with ${StatusCode}`);
    },
    async startIdle() {
      const container = await client.createContainer({
        Image: image,
        Cmd: ['sleep', '100000'],
        HostConfig: { NetworkMode: 'none' },
      });
      await container.start();
      return {
        exec: () => execute(container, ['/bin/true']),
        execute: (command) => execute(container, command),
        commit: async () => {
          const { Id } = (await container.commit({})) as { readonly Id: string };
          return async () => void (await client.getImage(Id).remove({ force: true }));
        },
        remove: () => container.remove({ force: true }),
      };
    },
    helperProcesses: ['containerd-shim'],
    pull: (reference) => pull(client, reference),
    removeImage: (reference) => client.getImage(reference).remove({ force: true }),
    pullsInProcess: false,
    async readOutput(command, log) {
      const container = await client.createContainer({
        Image: image,
        Cmd: [...command],
        HostConfig: { NetworkMode: 'none', ...(log === 'none' && { LogConfig: { Type: 'none', Config: {} } }) },
      });
      const stream = await container.attach({ stream: true, stdout: true });
      let bytes = 0;
      const counter = new Writable({
        write(chunk: Buffer, _encoding, done) {
          bytes += chunk.length;
          done();
        },
      });
      container.modem.demuxStream(stream, counter, process.stderr);
      await container.start();
      await finished(stream, { writable: false });
      await container.wait();
      await container.remove();
      return bytes;
    },
    logs: ['none', 'default'],
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}

async function pull(client: Docker, reference: string): Promise<void> {
  const stream = await client.pull(reference);
  await new Promise<void>((resolve, reject) => {
    client.modem.followProgress(stream, (error) => (error === null ? resolve() : reject(error)));
  });
}

async function execute(container: Docker.Container, command: readonly string[]): Promise<void> {
  const exec = await container.exec({ Cmd: [...command], AttachStdout: true });
  const stream = await exec.start({});
  stream.resume();
  await finished(stream, { writable: false });
  const { ExitCode } = await exec.inspect();
  if (ExitCode !== 0) throw new Error(`docker: exec of ${command.join(' ')} ended with ${ExitCode}`);
}

import { readdir, readlink } from 'node:fs/promises';
import type { Container } from '../../container/container.js';
import type { ContainerInspection } from '../../container/inspect-container.js';
import { invalidOption } from '../../container/invalid-option.js';
import { type ListeningSocket, listeningSockets } from './listening-sockets.js';
import type { Readiness } from './readiness.js';

/**
 * Ready when something listens at a port of the container, e.g. `5432` or `'53/udp'`, whether or not it is published. The
 * kernel's list of sockets is looked at, so the image needs no shell and the service sees no connection. In a container that has
 * an address, what listens at loopback only does not count: nobody else would reach it. With `network: 'host'` the socket must
 * belong to a process of the container.
 *
 * @throws EngineError `INVALID_OPTION`.
 */
export function forPort(port: number | `${number}/${'tcp' | 'udp'}`): Readiness {
  const [number = '', protocol = 'tcp'] = String(port).split('/');
  const wanted = Number(number);
  const isPort = /^\d+$/.test(number) && wanted >= 1 && wanted <= 65_535;
  if (!isPort || (protocol !== 'tcp' && protocol !== 'udp')) {
    throw invalidOption('port', '1 to 65535, or such a number with /tcp or /udp', port);
  }
  return {
    description: `port ${wanted}/${protocol}`,
    wait: ({ container, poll }) =>
      poll(async () => {
        const inspection = await container.inspect();
        if (inspection.pid === undefined) return `the container is ${inspection.status}`;
        const sockets = await listeningSockets(inspection.pid, protocol);
        return examine(container, inspection, sockets, wanted);
      }),
  };
}

async function examine(
  container: Container,
  { network, status }: ContainerInspection,
  sockets: readonly ListeningSocket[],
  wanted: number,
): Promise<true | string> {
  const atPort = sockets.filter(({ port }) => port === wanted);
  if (network.name === 'host') {
    if (atPort.length === 0) return 'nothing listens there';
    if (status !== 'running') return `the container is ${status}`;
    const own = await socketsOf((await container.top()).map(({ pid }) => pid));
    return atPort.some(({ inode }) => own.has(inode)) || 'what listens there is no process of the container';
  }
  if (atPort.some(({ isLoopback }) => !isLoopback || network.addresses.length === 0)) return true;
  if (atPort.length > 0) return 'it listens at the loopback address only, where nobody else reaches it';
  const others = [...new Set(sockets.map(({ port }) => port))].slice(0, 20);
  return others.length === 0 ? 'nothing listens at any port' : `it listens at other ports: ${others.join(', ')}`;
}

/** Inodes of the sockets that processes hold. */
async function socketsOf(pids: readonly number[]): Promise<ReadonlySet<string>> {
  const inodes = new Set<string>();
  for (const pid of pids) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const inode = /^socket:\[(\d+)\]$/.exec(await readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''))?.[1];
      if (inode !== undefined) inodes.add(inode);
    }
  }
  return inodes;
}

import { readFile } from 'node:fs/promises';

/** A socket that takes connections, or datagrams. */
export interface ListeningSocket {
  readonly port: number;
  /** Only programs in the same network namespace reach it. */
  readonly isLoopback: boolean;
  /** What `/proc/PID/fd` calls it by: `socket:[INODE]`. */
  readonly inode: string;
}

/**
 * The sockets that listen in the network namespace of a process, as the kernel lists them. Needs no program in the container and
 * makes no connection: a service that serves one client only is not used up, and none logs a client that says nothing.
 *
 * @see proc_pid_net(5), /proc/PID/net/tcp
 */
export async function listeningSockets(pid: number, protocol: 'tcp' | 'udp'): Promise<readonly ListeningSocket[]> {
  const tables = [protocol, `${protocol}6`].map(async (name) =>
    parseSocketTable(await readTable(`/proc/${pid}/net/${name}`), protocol),
  );
  return (await Promise.all(tables)).flat();
}

/** A kernel without IPv6 has no second table; a process that has ended has none. */
const readTable = (path: string): Promise<string> => readFile(path, 'latin1').catch(() => '');

/** TCP_LISTEN; a UDP socket without a peer is in state TCP_CLOSE. @see Linux, include/net/tcp_states.h */
const LISTENING = { tcp: '0A', udp: '07' } as const;

/** Reads one table. */
export function parseSocketTable(table: string, protocol: 'tcp' | 'udp'): readonly ListeningSocket[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTENING[protocol])
    .map((fields) => {
      const [address = '', port = ''] = (fields[1] ?? '').split(':');
      return { port: Number.parseInt(port, 16), isLoopback: isLoopback(address), inode: fields[9] ?? '' };
    });
}

/** Addresses are 32-bit words in the byte order of the machine: 127.0.0.1 is 0100007F on a little-endian one. */
function isLoopback(address: string): boolean {
  const bytes = Buffer.from(address, 'hex').swap32();
  if (bytes.length === 4) return bytes[0] === 127;
  const last = bytes.subarray(12);
  const prefix = bytes.subarray(0, 12).toString('hex');
  if (prefix === '00000000000000000000ffff') return last[0] === 127;
  return prefix === '0'.repeat(24) && last.toString('hex') === '00000001';
}

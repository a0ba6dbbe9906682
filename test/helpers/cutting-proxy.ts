import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands before a server and cuts connections. */
export interface CuttingProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** How many connections have been cut. */
  readonly cuts: number;
  /** Bytes that the server has sent, and was sent, through here. */
  readonly bytes: { readonly down: number; readonly up: number };
  /** Cuts the connection that passes `count` further bytes in this direction; once. */
  cutAfter(direction: 'down' | 'up', count: number): void;
}

/** Forwards to `target` (`127.0.0.1:PORT`). */
export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  const bytes = { down: 0, up: 0 };
  let cuts = 0;
  let armed: { readonly direction: 'down' | 'up'; readonly at: number } | undefined;
  const [host = '', port = ''] = target.split(':');
  const server = createServer((client) => {
    const upstream = connect(Number(port), host);
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    const forward = (from: Socket, to: Socket, direction: 'down' | 'up'): void => {
      from.on('data', (chunk: Buffer) => {
        const before = bytes[direction];
        bytes[direction] += chunk.byteLength;
        if (armed?.direction === direction && bytes[direction] >= armed.at) {
          const rest = chunk.subarray(0, Math.max(0, armed.at - before));
          armed = undefined;
          cuts += 1;
          to.write(rest, end);
          return;
        }
        if (!to.write(chunk)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
    };
    forward(client, upstream, 'up');
    forward(upstream, client, 'down');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get cuts() {
      return cuts;
    },
    bytes,
    cutAfter: (direction, count) => {
      armed = { direction, at: bytes[direction] + count };
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

import { closeSync, constants, openSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';

/** `sun_path` with its final NUL. @see unix(7) */
const ADDRESS_BYTES = 108;

/** The socket of a running shim; undefined when none listens there: it has ended, or was killed. */
export async function connectToShim(path: string): Promise<Socket | undefined> {
  // A longer path goes by a descriptor of its directory.
  const isLong = Buffer.byteLength(path) >= ADDRESS_BYTES;
  const directory = isLong ? openDirectory(dirname(path)) : undefined;
  if (isLong && directory === undefined) return undefined;
  const socket = createConnection(isLong ? `/proc/self/fd/${directory}/${basename(path)}` : path);
  try {
    return await new Promise((resolve) => {
      socket.once('connect', () => resolve(socket));
      socket.once('error', () => resolve(undefined));
    });
  } finally {
    if (directory !== undefined) closeSync(directory);
  }
}

function openDirectory(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch {
    return undefined; // nobody listens where nothing is
  }
}

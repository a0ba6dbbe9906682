import { closeSync, openSync } from 'node:fs';
import { Socket, type SocketConstructorOpts as SocketOptions } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { Kernel } from '../../kernel/kernel.js';
import type { UndoStack } from '../../util/undo-stack.js';
import type { LaunchOptions } from '../launcher.js';
import { type LateOutput, lateOutput } from './late-output.js';

/** The three streams of a process: descriptors for the shim, streams for the caller. */
export interface ShimStdio {
  readonly childSide: readonly [number, number, number];
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /** After the spawn, which has duplicated them. Safe to call twice. */
  closeChildSide(): void;
  /** After the end of the process: what nobody has asked for gives its descriptors back. False: not yet all. */
  settle(): boolean;
  /** Closes everything. */
  destroy(): void;
}

/**
 * Real pipes from pipe2(2): Node's own `stdio: 'pipe'` is a UNIX socket, through which /dev/stdout cannot be opened
 * again (ENXIO), as nginx and many shells do.
 */
export function openStdio(kernel: Kernel, options: LaunchOptions, undo: UndoStack): ShimStdio {
  const childFds: number[] = [];
  const nodeFds: number[] = [];
  // Each by whom has opened it: Node closes what it takes for still open when a worker thread ends, whose it is by then.
  const closeChildSide = (): void => {
    for (const fd of childFds.splice(0)) kernel.close(fd);
    for (const fd of nodeFds.splice(0)) closeSync(fd);
  };
  undo.defer(closeChildSide);

  const nothing = (flags: string): number => {
    const fd = openSync('/dev/null', flags);
    nodeFds.push(fd);
    return fd;
  };
  const open = (fd: number, sides: { readable?: boolean; writable?: boolean }): Socket => {
    // `manualStart` (as for Node's own stdin): reading begins with the first reader, so that an output that ends at once
    // has not emitted `end` before the caller could listen.
    const socket = new Socket({ fd, readable: false, writable: false, manualStart: true, ...sides } as SocketOptions);
    socket.on('error', () => undefined); // EPIPE: the container has closed its side; users see it on their own listeners
    return socket;
  };
  const input = (): [number, Writable] => {
    const { readFd, writeFd } = kernel.pipe();
    childFds.push(readFd);
    const stream = open(writeFd, { writable: true });
    undo.defer(() => void stream.destroy());
    return [readFd, stream];
  };
  const output = (): [number, LateOutput] => {
    const { readFd, writeFd } = kernel.pipe();
    childFds.push(writeFd);
    const late = lateOutput(kernel, readFd, (fd) => open(fd, { readable: true }));
    undo.defer(() => late.destroy());
    return [writeFd, late];
  };

  const [stdinFd, stdin] = options.stdin === 'pipe' ? input() : [nothing('r'), undefined];
  const piped = options.output === 'pipe';
  const [stdoutFd, stdout] = piped ? output() : [nothing('w'), undefined];
  const [stderrFd, stderr] = piped && !options.terminal ? output() : [nothing('w'), undefined];
  return {
    childSide: [stdinFd, stdoutFd, stderrFd],
    stdin,
    get stdout() {
      return stdout?.stream;
    },
    get stderr() {
      return stderr?.stream;
    },
    closeChildSide,
    settle: () => {
      stdin?.destroy();
      const settled = [stdout, stderr].map((output) => output?.settle() ?? true);
      return settled.every(Boolean);
    },
    destroy: () => {
      stdin?.destroy();
      stdout?.destroy();
      stderr?.destroy();
    },
  };
}

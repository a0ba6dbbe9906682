import type { Readable, Writable } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import type { Abortable } from '../../core/abortable.js';
import type { AttachmentEnd } from '../../runtime/attachment.js';
import { orAbort } from '../../util/abort.js';
import { Deferred } from '../../util/deferred.js';
import { AttachedStreams } from '../attached-streams.js';
import type { ContainerProcess } from '../container-process.js';
import { DetachKeyFilter, parseDetachKeys } from '../detach-keys.js';
import { RawTerminal } from './raw-terminal.js';
import { relayStream } from './relay-stream.js';
import { ScreenModes } from './screen-modes.js';

/** What a program in a container is connected to. An abort of `signal` ends the bridge with its reason. */
export interface BridgeOptions extends Abortable {
  /** Default `process.stdin`. Set to raw mode if it is a terminal and the program in the container has one. */
  readonly stdin?: Readable;
  /** Default `process.stdout`. If it is a terminal, its size is that of the program's terminal. */
  readonly stdout?: Writable;
  /** Default `process.stderr`. */
  readonly stderr?: Writable;
  /** Typing this ends the bridge, as in `AttachOptions`. Default none, besides those of an attachment itself. */
  readonly detachKeys?: string;
}

/**
 * Connects a program in a container with the terminal, or the pipes, of this process, as a command line tool wants it.
 *
 * Bytes go both ways as fast as they are taken; the end of `stdin` ends the program's input; the size of the window goes
 * along, at once and whenever it changes. Raw mode, the modes that the program's output has set (alternate screen, cursor,
 * mouse, paste), listeners and the flow of `stdin` are as before when this returns, and when the process ends by an exception,
 * `process.exit`, SIGHUP, SIGINT, SIGQUIT or SIGTERM, or is stopped by SIGTSTP. After SIGKILL nobody restores the terminal:
 * `stty sane` or `reset` does. None of the streams is closed, and the program is left alone.
 *
 * @returns how it ended: `exited` with the program's exit status, or `detached`.
 * @throws EngineError `INVALID_OPTION`, and with what the streams of either side fail.
 * @see termios(3)
 */
export async function bridgeTerminal(
  program: AttachedStreams | ContainerProcess,
  options: BridgeOptions = {},
): Promise<AttachmentEnd> {
  const keys = parseDetachKeys(options.detachKeys ?? '');
  options.signal?.throwIfAborted();
  const { stdin = process.stdin, stdout = process.stdout, stderr = process.stderr } = options;
  const failed = new Deferred<never>();
  const detached = new Deferred<AttachmentEnd>();
  const undo: (() => void)[] = [];
  const fail = (error: unknown): void => failed.reject(error);
  try {
    const modes = new ScreenModes();
    // An attachment that fails tells it on each stream, in no fixed order: the later ones are nobody's business.
    for (const stream of [program.stdin, program.stdout, program.stderr]) if (stream !== undefined) quieten(stream);
    for (const stream of new Set([stdin, stdout, stderr, program.stdout, program.stderr])) {
      stream?.on('error', fail);
      undo.push(() => void stream?.off('error', fail));
    }
    undo.push(...followTerminal(program, stdin, stdout, modes));
    if (program.stdin !== undefined)
      undo.push(relayInput(stdin, program.stdin, new DetachKeyFilter(keys), (end) => detached.resolve(end)));
    const output = [
      relayOutput(program.stdout, stdout, undo, (chunk) => modes.see(chunk)),
      relayOutput(program.stderr, stderr, undo, () => undefined),
    ];
    const end = Promise.race([endOf(program, output), detached.promise, failed.promise]);
    return await orAbort(end, options.signal);
  } finally {
    for (const each of undo.reverse()) each();
  }
}

const ignore = (): void => undefined;

/** An error of a stream of the program must end no process; EPIPE of its input says only that it wants no more. Stays, once. */
function quieten(stream: Readable | Writable): void {
  if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore);
}

/** Keeps size and mode of both terminals together; returns what undoes it. */
function followTerminal(
  program: AttachedStreams | ContainerProcess,
  stdin: Readable,
  stdout: Writable,
  modes: ScreenModes,
): (() => void)[] {
  const tty = program instanceof AttachedStreams ? program.tty : program.stderr === undefined;
  if (!tty) return [];
  const undo: (() => void)[] = [];
  const window = stdout as Partial<WriteStream>;
  const resize = (): void => {
    const { columns, rows } = window;
    if (columns !== undefined && rows !== undefined) program.resize({ columns, rows });
  };
  if (window.isTTY === true) {
    stdout.on('resize', resize);
    undo.push(() => void stdout.off('resize', resize));
    resize();
  }
  const input = stdin as Partial<ReadStream>;
  if (program.stdin !== undefined && input.isTTY === true) {
    const reset = (): void => {
      const text = window.isTTY === true ? modes.undo() : '';
      if (text !== '' && stdout.writable) stdout.write(text);
    };
    const raw = new RawTerminal(input as ReadStream, reset, resize);
    undo.push(() => raw.leave());
  }
  return undo;
}

function relayInput(
  stdin: Readable,
  input: Writable,
  filter: DetachKeyFilter,
  detach: (end: AttachmentEnd) => void,
): () => void {
  const pass = (bytes: Buffer): boolean => {
    const typed = filter.push(bytes);
    const more = typed.pass.length === 0 || !input.writable || input.write(typed.pass);
    if (typed.detached) detach({ reason: 'detached' });
    return more;
  };
  return relayStream(stdin, input, pass, () => void input.end(filter.end()));
}

/** Resolves when all of it has left this process. */
function relayOutput(
  from: Readable | undefined,
  to: Writable,
  undo: (() => void)[],
  see: (chunk: Buffer) => void,
): Promise<void> {
  if (from === undefined) return Promise.resolve();
  const pass = (chunk: Buffer): boolean => {
    see(chunk);
    return to.write(chunk);
  };
  return new Promise((resolve) => {
    const ended = (): void => void to.write('', () => resolve());
    undo.push(relayStream(from, to, pass, ended));
    from.once('close', ended);
    undo.push(() => void from.off('close', ended));
  });
}

async function endOf(program: AttachedStreams | ContainerProcess, output: Promise<void>[]): Promise<AttachmentEnd> {
  const end = program instanceof AttachedStreams ? await program.wait() : await exitOf(program);
  await Promise.all(output);
  return end;
}

const exitOf = async (program: ContainerProcess): Promise<AttachmentEnd> => ({
  reason: 'exited',
  exit: await program.wait(),
});

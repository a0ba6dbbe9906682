import { constants } from 'node:os';
import { isatty, ReadStream, WriteStream } from 'node:tty';
import type { ShimSession } from './shim-session.js';

/** Signals that somebody may send to a container through the command that runs it. */
const forwarded = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR2', 'SIGCONT', 'SIGALRM', 'SIGIO'] as const;

/** Stays until the process has ended: passes signals on, and lends it the caller's terminal. Gives its exit code. */
export async function followForeground(session: ShimSession, terminal: boolean): Promise<number> {
  for (const name of forwarded) process.on(name, () => session.signal(constants.signals[name]));
  const restore = terminal ? lendTerminal(session) : () => undefined;
  try {
    return (await session.exited).exitCode;
  } finally {
    restore();
    for (const name of forwarded) process.removeAllListeners(name);
    session.leave();
  }
}

/** Keys go to the container as they are typed; its terminal has the size of ours. */
function lendTerminal(session: ShimSession): () => void {
  const input = isatty(0) ? new ReadStream(0) : undefined;
  const output = isatty(1) ? new WriteStream(1) : undefined;
  input?.setRawMode(true);
  const resize = (): void => {
    if (output !== undefined) session.resize(output.columns, output.rows);
  };
  resize();
  output?.on('resize', resize);
  return () => {
    output?.off('resize', resize);
    input?.setRawMode(false);
    input?.destroy();
    output?.destroy();
  };
}

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './eventually.js';

const run = promisify(execFile);

/** A real terminal, by a tmux server of its own: what a user types and sees. */
export interface TerminalWindow extends AsyncDisposable {
  /** Types keys by tmux' names (`C-c`, `Enter`), or text. */
  press(...keys: string[]): Promise<void>;
  /** Types a line. */
  line(text: string): Promise<void>;
  screen(): Promise<string>;
  /** Waits until the screen shows it; fails with the screen. */
  shows(what: RegExp): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  format(text: string): Promise<string>;
}

/** A window of 80 times 24 in which a plain shell runs. */
export async function openTerminalWindow(): Promise<TerminalWindow> {
  const directory = await mkdtemp(join(tmpdir(), 'tsc-tmux-'));
  const tmux = async (...args: string[]): Promise<string> =>
    (await run('tmux', ['-S', join(directory, 'socket'), '-f', '/dev/null', ...args])).stdout;
  await tmux('new-session', '-d', '-x', '80', '-y', '24', 'env', 'PS1=outer$ ', 'HISTFILE=', 'bash', '--norc', '-i');
  await tmux('set-option', '-g', 'window-size', 'manual');
  const screen = (): Promise<string> => tmux('capture-pane', '-p');
  const press = async (...keys: string[]): Promise<void> => void (await tmux('send-keys', ...keys));
  const window: TerminalWindow = {
    press,
    line: async (text) => {
      await tmux('send-keys', '-l', text);
      await press('Enter');
    },
    screen,
    shows: async (what) => {
      let last = '';
      const seen = async (): Promise<boolean> => {
        last = await screen();
        return what.test(last);
      };
      await eventually('', seen, 20_000).catch(() => {
        throw new Error(`the terminal never showed ${what}, but:\n${last}`);
      });
    },
    resize: async (columns, rows) => void (await tmux('resize-window', '-x', `${columns}`, '-y', `${rows}`)),
    format: async (text) => (await tmux('display-message', '-p', text)).trim(),
    [Symbol.asyncDispose]: async () => {
      await tmux('kill-server');
      await rm(directory, { recursive: true });
    },
  };
  // What is shown has no blanks at the end of lines.
  await window.shows(/^outer\$/m);
  return window;
}

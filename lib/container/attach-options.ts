import type { Abortable } from '../core/abortable.js';
import { parseBytes } from '../core/units.js';
import type { AttachmentRequest } from '../runtime/attachment.js';
import { parseDetachKeys } from './detach-keys.js';
import { invalidOption } from './invalid-option.js';
import type { StdioConfig } from './stdio-config.js';

/** What is attached to a container, and how. An abort of `signal` ends the attachment with its reason. */
export interface AttachOptions extends Abortable {
  /** Default: whether the container was made with `openStdin`. */
  readonly stdin?: boolean;
  /** Default true. */
  readonly stdout?: boolean;
  /** Default true. A terminal has none. */
  readonly stderr?: boolean;
  /** First comes what the container's log holds, then what is written from now on, without a gap between. Default false. */
  readonly logs?: boolean;
  /**
   * Typing this ends the attachment; Docker's notation: characters and `ctrl-X`, separated by commas; `''` is none. What may
   * be its beginning is held back until the next key. Default: `'ctrl-p,ctrl-q'` with a terminal, none without.
   */
  readonly detachKeys?: string;
  /**
   * How much output may wait, in bytes or like `'1m'`, for an attacher that reads slowly, besides what sockets and streams
   * hold (some 300 KB); up to 64 MiB. Default 1 MiB.
   */
  readonly bufferBytes?: number | string;
  /**
   * When more would have to wait: `'disconnect'` ends the attachment with `ATTACH_OVERRUN`, the container and its log go on;
   * `'block'` lets the container wait, and all other attachers with it. Default `'disconnect'`.
   */
  readonly whenSlow?: 'disconnect' | 'block';
}

const DEFAULT_BUFFER_BYTES = 1024 * 1024;
const MAX_BUFFER_BYTES = 64 * 1024 * 1024;
const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

/** The options, checked. @throws EngineError `INVALID_OPTION`. */
export function resolveAttach(
  options: AttachOptions,
  socket: string,
  stdio: StdioConfig,
): { readonly request: AttachmentRequest; readonly detachKeys: Buffer } {
  for (const option of ['stdin', 'stdout', 'stderr', 'logs'] as const) {
    const value = options[option];
    if (value !== undefined && typeof value !== 'boolean') throw invalidOption(option, 'true or false', value);
  }
  const terminal = stdio.tty !== undefined;
  const { stdin = stdio.openStdin, stdout = true, stderr = true, whenSlow = 'disconnect' } = options;
  if (stdin && !stdio.openStdin) throw invalidOption('stdin', 'a container that was made with openStdin', stdin);
  if (!stdin && !stdout && (terminal || !stderr)) throw invalidOption('stdout', 'at least one stream', stdout);
  if (!['disconnect', 'block'].includes(whenSlow)) throw invalidOption('whenSlow', "'disconnect' or 'block'", whenSlow);
  if (options.logs === true && stdio.log.driver === 'none') throw invalidOption('logs', 'a container with a log', true);
  const bufferBytes = parseBytes(options.bufferBytes ?? DEFAULT_BUFFER_BYTES, 'bufferBytes');
  if (bufferBytes > MAX_BUFFER_BYTES) throw invalidOption('bufferBytes', `at most ${MAX_BUFFER_BYTES}`, bufferBytes);
  return {
    request: { socket, stdin, stdout, stderr: stderr && !terminal, bufferBytes, whenSlow },
    detachKeys: parseDetachKeys(options.detachKeys ?? (terminal ? DEFAULT_DETACH_KEYS : '')),
  };
}

import { invalidOption } from '../../container/invalid-option.js';
import type { Readiness } from './readiness.js';

/** What of the log {@link forLogLine} looks at. */
export interface LogLineOptions {
  /** So many lines must match. Some services say twice that they are ready, as PostgreSQL's image does. Default 1. */
  readonly times?: number;
  /** Default: both. */
  readonly stream?: 'stdout' | 'stderr';
}

/**
 * Ready when its output has lines that match a pattern, or contain a text. Lines of this run count, also those before the call;
 * a line counts when its line break is there. The log is followed, not asked again and again.
 *
 * @throws EngineError `INVALID_OPTION`.
 */
export function forLogLine(pattern: RegExp | string, { times = 1, stream }: LogLineOptions = {}): Readiness {
  if (typeof pattern !== 'string' && !(pattern instanceof RegExp)) {
    throw invalidOption('pattern', 'a text or a regular expression', pattern);
  }
  if (!Number.isSafeInteger(times) || times < 1) throw invalidOption('times', 'a whole number from 1', times);
  if (stream !== undefined && stream !== 'stdout' && stream !== 'stderr') {
    throw invalidOption('stream', 'stdout or stderr', stream);
  }
  const matches = matcher(pattern);
  const what = typeof pattern === 'string' ? JSON.stringify(pattern) : String(pattern);
  return {
    description: `a log line with ${what}${times === 1 ? '' : `, ${times} times`}`,
    wait: async ({ container, signal, observe }) => {
      const { startedAt } = await container.inspect();
      const options = {
        follow: true,
        stdout: stream !== 'stderr',
        stderr: stream !== 'stdout',
        signal,
        ...(startedAt && { since: startedAt }),
        onLost: (bytes: number) => observe(`${bytes} bytes of its log were lost`),
      };
      let found = 0;
      observe('no such line');
      for await (const { text } of container.logs(options)) {
        if (!matches(text)) continue;
        found += 1;
        observe(`${found} such lines`);
        if (found >= times) return;
      }
      await untilAborted(signal); // the log ends with the container: whoever asks learns of that
    },
  };
}

/** A pattern with the flags `g` or `y` would remember where it was. */
function matcher(pattern: RegExp | string): (text: string) => boolean {
  if (typeof pattern === 'string') return (text) => text.includes(pattern);
  const stateless = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
  return (text) => stateless.test(text);
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

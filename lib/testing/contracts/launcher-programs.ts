import { once } from 'node:events';
import type { MemoryProcessContext, MemoryProgram } from '../../runtime/memory/memory-program.js';

/** A program that the contract runs: as a POSIX shell script for real launchers, as a function for fakes. */
export interface ContractProgram {
  /** `$1`, `$2` … are its arguments. */
  readonly script: string;
  readonly run: MemoryProgram;
}

const argument = (context: MemoryProcessContext, index: number): string => context.arguments[index] ?? '';

/** Until the process ends: a program that waits for ever. */
const forever = async ({ ended }: MemoryProcessContext): Promise<undefined> => {
  if (!ended.aborted) await once(ended, 'abort');
  return undefined;
};

const sizeOf = ({ terminal }: MemoryProcessContext): string => `${terminal()?.rows} ${terminal()?.columns}\n`;

/** Keys are the programs' names: the first word of their commands on fakes. */
export const contractPrograms: Readonly<Record<ContractProgramName, ContractProgram>> = {
  exit: {
    script: 'exit "$1"',
    run: (context) => Number(argument(context, 1)),
  },
  talk: {
    script: 'echo out; echo err >&2; printf %s "$GREETING"',
    run: ({ stdout, stderr, environment }) => {
      stdout.write('out\n');
      stderr.write('err\n');
      stdout.write(environment['GREETING'] ?? '');
    },
  },
  copy: {
    script: 'cat; echo end >&2',
    run: async ({ stdin, stdout, stderr }) => {
      for await (const chunk of stdin) if (!stdout.write(chunk)) await once(stdout, 'drain');
      stderr.write('end\n');
    },
  },
  /** Writes $1 times 1000 bytes to each of its outputs. */
  flood: {
    script: 'head -c "$1"000 /dev/zero | tr "\\0" o; head -c "$1"000 /dev/zero | tr "\\0" e >&2',
    run: async ({ arguments: words, stdout, stderr }) => {
      const size = Number(words[1]) * 1000;
      for (const [stream, letter] of [
        [stdout, 'o'],
        [stderr, 'e'],
      ] as const) {
        for (let written = 0; written < size; written += 50_000) {
          if (!stream.write(letter.repeat(Math.min(50_000, size - written)))) await once(stream, 'drain');
        }
      }
    },
  },
  hang: {
    script: 'echo ready; sleep 100000 & wait',
    run: async (context) => {
      context.stdout.write('ready\n');
      await forever(context);
    },
  },
  /** Ends itself on SIGTERM with 7. */
  polite: {
    script: 'trap "echo caught; exit 7" TERM; echo ready; sleep 100000 & wait',
    run: async (context) => {
      const { stdout } = context;
      const caught = new Promise<number>((resolve) => {
        context.onSignal(15, () => {
          stdout.write('caught\n');
          resolve(7);
        });
      });
      stdout.write('ready\n');
      return Promise.race([caught, forever(context)]);
    },
  },
  /** Tells its terminal's size now, and once more when it changes. */
  terminal: {
    script: '[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && trap "stty size; exit 5" WINCH; stty size; sleep 100000 & wait',
    run: async (context) => {
      const { stdout } = context;
      const resized = new Promise<number>((resolve) => {
        context.onSignal(28, () => {
          stdout.write(sizeOf(context));
          resolve(5);
        });
      });
      stdout.write(sizeOf(context));
      return Promise.race([resized, forever(context)]);
    },
  },
  /** Ends at its end of file, which is Ctrl-D on a terminal. */
  lines: {
    script: 'while read -r line; do echo "got $line"; done; exit 3',
    run: async ({ stdin, stdout }) => {
      for await (const chunk of stdin) {
        for (const line of String(chunk).split('\n').filter(Boolean)) {
          if (line === '\x04') return 3;
          stdout.write(`got ${line}\n`);
        }
      }
      return 3;
    },
  },
};

/** Name of a program of {@link contractPrograms}. */
export type ContractProgramName = 'exit' | 'talk' | 'copy' | 'flood' | 'hang' | 'polite' | 'terminal' | 'lines';

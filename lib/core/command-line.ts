import { EngineError } from './errors/engine-error.js';

export interface CommandLineSources {
  /** `Entrypoint` and `Cmd` of the image's config. */
  readonly image: { readonly entrypoint?: readonly string[] | undefined; readonly cmd?: readonly string[] | undefined };
  /** Replaces the image's entrypoint; a string is one word. `''` and `[]` remove it. Default: the image's. */
  readonly entrypoint?: string | readonly string[] | undefined;
  /** Replaces the image's cmd. Default, also for `[]`: the image's. */
  readonly command?: readonly string[] | undefined;
}

/**
 * The words of the process: entrypoint, then command, by Docker's rules. An entrypoint that the caller sets drops the
 * image's cmd, which was meant for another program; so does `''`. `[]` keeps it: the cmd becomes the program.
 *
 * @throws EngineError `INVALID_OPTION` when nothing remains, the program's name is empty, or a word contains NUL.
 * @see OCI image-spec, config.md, `Entrypoint` and `Cmd`
 */
export function resolveCommandLine(sources: CommandLineSources): string[] {
  const own = typeof sources.entrypoint === 'string' ? [sources.entrypoint] : sources.entrypoint;
  const entrypoint = own ?? sources.image.entrypoint ?? [];
  const command = nonEmpty(sources.command) ?? (nonEmpty(own) === undefined ? (sources.image.cmd ?? []) : []);
  const removed = entrypoint.length === 1 && entrypoint[0] === '';
  const words = [...(removed ? [] : entrypoint), ...command];
  if (words.length === 0) throw invalid('a program to run: neither the image nor the options name one', '[]');
  if (words[0] === '') throw invalid('a program with a name', JSON.stringify(words.slice(0, 5)));
  if (words.some((word) => word.includes('\0'))) throw invalid('words without NUL', 'a word with NUL');
  return words;
}

function nonEmpty(list: readonly string[] | undefined): readonly string[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

function invalid(expected: string, got: string): EngineError {
  return new EngineError('INVALID_OPTION', { option: 'command', expected, got });
}

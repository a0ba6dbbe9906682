import { UsageError } from './usage-error.js';

/** An option of a command: `flag` takes no value, `list` collects several. */
export interface OptionSpec {
  readonly kind: 'flag' | 'text' | 'number' | 'list';
  /** A letter. */
  readonly short?: string;
  /** What it does, for the help text. */
  readonly help: string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type ValueOf<S extends OptionSpec> = S['kind'] extends 'flag'
  ? boolean
  : S['kind'] extends 'number'
    ? number | undefined
    : S['kind'] extends 'list'
      ? readonly string[]
      : string | undefined;

export type ParsedOptions<S extends OptionSpecs> = { readonly [K in keyof S]: ValueOf<S[K]> };

export interface ParsedArguments<S extends OptionSpecs> {
  readonly options: ParsedOptions<S>;
  /** What follows the options. */
  readonly rest: readonly string[];
}

/**
 * Reads options up to the first word that is none: `--name value`, `--name=value`, `-n value`, `-nvalue`; `--` ends them.
 *
 * @throws UsageError for an unknown option or a value that is missing or wrong.
 */
export function parseArguments<const S extends OptionSpecs>(words: readonly string[], specs: S): ParsedArguments<S> {
  const values: Record<string, boolean | number | string | readonly string[] | undefined> = Object.fromEntries(
    Object.entries(specs).map(([name, { kind }]) => [name, kind === 'flag' ? false : kind === 'list' ? [] : undefined]),
  );
  let at = 0;
  while (at < words.length) {
    const word = words[at] ?? '';
    if (word === '--') {
      at += 1;
      break;
    }
    if (!word.startsWith('-') || word === '-') break;
    at += 1;
    const { name, inline } = split(word, specs);
    const spec = specs[name];
    if (spec === undefined) throw new UsageError(`unknown option ${word}`);
    if (spec.kind === 'flag') {
      values[name] = inline === undefined || inline === 'true';
      continue;
    }
    const value = inline ?? words[at];
    if (value === undefined) throw new UsageError(`option ${word} needs a value`);
    if (inline === undefined) at += 1;
    if (spec.kind === 'list') values[name] = [...(values[name] as readonly string[]), value];
    else values[name] = spec.kind === 'number' ? wholeNumber(value, word) : value;
  }
  return { options: values as ParsedOptions<S>, rest: words.slice(at) };
}

function split(word: string, specs: OptionSpecs): { name: string; inline: string | undefined } {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=');
    return equals < 0
      ? { name: word.slice(2), inline: undefined }
      : { name: word.slice(2, equals), inline: word.slice(equals + 1) };
  }
  const letter = word.charAt(1);
  const name = Object.keys(specs).find((each) => specs[each]?.short === letter) ?? word;
  const tail = word.slice(2).replace(/^=/, '');
  return { name, inline: tail === '' ? undefined : tail };
}

function wholeNumber(text: string, word: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw new UsageError(`option ${word} needs a whole number, got '${text}'`);
  return Number(text);
}

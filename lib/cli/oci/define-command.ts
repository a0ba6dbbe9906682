import { writeSync } from 'node:fs';
import { commandHelp } from './help.js';
import { type OptionSpecs, type ParsedOptions, parseArguments } from './parse-arguments.js';
import type { Command, RuntimeContext } from './runtime-context.js';
import { UsageError } from './usage-error.js';

export interface CommandDefinition<S extends OptionSpecs> {
  /** Command and operands, for the help text: `kill CONTAINER [SIGNAL]`. */
  readonly usage: string;
  readonly options: S;
  /** How many operands there may be. */
  readonly operands: readonly [min: number, max: number];
  /** Options may follow operands too; else everything behind the first operand is an operand. */
  readonly optionsAnywhere?: boolean;
  readonly run: (
    context: RuntimeContext,
    options: ParsedOptions<S>,
    operands: readonly string[],
  ) => Promise<number> | number;
}

/** A command with `--help`, checked operands and parsed options. */
export function defineCommand<const S extends OptionSpecs>(definition: CommandDefinition<S>): Command {
  return async (context, words) => {
    if (words[0] === '--help' || words[0] === '-h') {
      writeSync(1, commandHelp(definition.usage, definition.options));
      return 0;
    }
    const ordered = definition.optionsAnywhere === true ? optionsFirst(words, definition.options) : words;
    const { options, rest } = parseArguments(ordered, definition.options);
    const [min, max] = definition.operands;
    if (rest.length < min || rest.length > max)
      throw new UsageError(`wrong number of arguments, expected: ${definition.usage}`);
    return definition.run(context, options, rest);
  };
}

function optionsFirst(words: readonly string[], specs: OptionSpecs): string[] {
  const options: string[] = [];
  const operands: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (!word.startsWith('-') || /^-\d+$/.test(word)) {
      operands.push(word);
      continue;
    }
    options.push(word);
    const name = word.startsWith('--')
      ? word.slice(2)
      : Object.keys(specs).find((each) => specs[each]?.short === word[1]);
    const spec = name === undefined ? undefined : specs[name];
    const takesNext = spec !== undefined && spec.kind !== 'flag' && (word.startsWith('--') || word.length === 2);
    if (takesNext && at + 1 < words.length) {
      at += 1;
      options.push(words[at] ?? '');
    }
  }
  return [...options, ...operands];
}

import { posix } from 'node:path';
import { EngineError } from '../core/errors/engine-error.js';
import type { ImageRunConfig } from '../core/image-config.js';
import { parseSignal } from '../core/signal.js';
import { parseUser } from '../core/user.js';
import { parseExposedPorts } from './changes/exposed-ports.js';
import { parseHealthcheck } from './changes/healthcheck.js';
import { instructionsOf } from './changes/instructions.js';
import { expandWord, splitWords, type Variables } from './changes/words.js';

/**
 * Applies instructions in the form of a Dockerfile to what containers of an image are started with: CMD, ENTRYPOINT, ENV,
 * EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME and WORKDIR, in upper or lower case.
 *
 * The rules are those of Docker's `import --change` and `commit --change`: instructions apply in turn; an ENTRYPOINT drops a
 * CMD that was there before, unless one of `changes` sets it; CMD and ENTRYPOINT that are no JSON list go to the shell;
 * variables of ENV are replaced (`$NAME`, `${NAME:-default}`) except in commands.
 *
 * @param changes - each one instruction, or several lines; a line that ends in a backslash goes on with the next.
 * @throws EngineError `INVALID_OPTION` naming the instruction; never the value of a variable, which may be a secret.
 * @see https://docs.docker.com/reference/dockerfile/
 */
export function applyConfigChanges(config: ImageRunConfig, changes: readonly string[]): ImageRunConfig {
  const draft: Draft = { config, hasCommand: false };
  for (const { name, rest } of instructionsOf(changes)) {
    const apply = Object.hasOwn(instructions, name) ? instructions[name] : undefined;
    if (apply === undefined) throw invalid(name, `one of ${Object.keys(instructions).join(', ')}`);
    if (rest === '') throw invalid(name, `${name} with something behind it`);
    if (rest.includes('\0')) throw invalid(name, `${name} without NUL`);
    draft.config = { ...draft.config, ...apply(rest, draft) };
  }
  return draft.config;
}

interface Draft {
  config: ImageRunConfig;
  /** One of the changes has set it: an ENTRYPOINT behind it leaves it. */
  hasCommand: boolean;
}

type Instruction = (rest: string, draft: Draft) => ImageRunConfig;

const instructions: Readonly<Record<string, Instruction>> = {
  CMD: (rest, draft) => {
    draft.hasCommand = true;
    return { Cmd: commandOf(rest, draft) };
  },
  ENTRYPOINT: (rest, draft) => ({ Entrypoint: commandOf(rest, draft), ...(!draft.hasCommand && { Cmd: [] }) }),
  ENV: (rest, { config }) => {
    const set = new Map(Object.entries(variablesOf(config)));
    for (const [name, value] of pairsOf('ENV', rest, config)) set.set(name, value);
    return { Env: [...set].map(([name, value]) => `${name}=${value}`) };
  },
  EXPOSE: (rest, { config }) => ({
    ExposedPorts: { ...config.ExposedPorts, ...parseExposedPorts(wordsOf(rest, config)) },
  }),
  HEALTHCHECK: (rest) => ({ Healthcheck: parseHealthcheck(rest, listOf) }),
  LABEL: (rest, { config }) => ({
    Labels: { ...config.Labels, ...Object.fromEntries(pairsOf('LABEL', rest, config)) },
  }),
  ONBUILD: (rest, { config }) => {
    const [trigger = ''] = rest.split(/\s/, 1);
    if (['ONBUILD', 'FROM', 'MAINTAINER'].includes(trigger.toUpperCase())) {
      throw invalid(`ONBUILD ${trigger}`, 'an instruction that can be triggered');
    }
    return { OnBuild: [...(config.OnBuild ?? []), rest] };
  },
  STOPSIGNAL: (rest, { config }) => {
    const signal = wordOf('STOPSIGNAL', rest, config);
    parseSignal(signal, 'changes');
    return { StopSignal: signal };
  },
  USER: (rest, { config }) => {
    const user = wordOf('USER', rest, config);
    parseUser(user, 'changes');
    return { User: user };
  },
  VOLUME: (rest, { config }) => {
    const paths = listOf(rest) ?? wordsOf(rest, config);
    if (paths.some((path) => path === '')) throw invalid('VOLUME', 'VOLUME with paths that are not empty');
    return { Volumes: { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) } };
  },
  WORKDIR: (rest, { config }) => ({
    WorkingDir: posix.resolve('/', config.WorkingDir ?? '', expandWord(rest, variablesOf(config))),
  }),
};

/** The words of a JSON list, else a text for the shell. */
function commandOf(rest: string, { config }: Draft): readonly string[] {
  return listOf(rest) ?? [...(config.Shell ?? ['/bin/sh', '-c']), rest];
}

/** Undefined when it is no JSON list of texts: Docker takes it as a text then. */
function listOf(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((each) => typeof each === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

/** `NAME=value NAME="other value"`, or the old form `NAME value to the end of the line`. */
function pairsOf(instruction: string, rest: string, config: ImageRunConfig): readonly (readonly [string, string])[] {
  const variables = variablesOf(config);
  const words = splitWords(rest);
  const isOldForm = words[0]?.includes('=') !== true;
  const [, name = '', value] = isOldForm ? (/^(\S+)\s+([\s\S]+)$/.exec(rest) ?? []) : [];
  const pairs = isOldForm
    ? [[name, value] as const]
    : words.map((word) => {
        const equals = word.indexOf('=');
        return equals < 0 ? ([word, undefined] as const) : ([word.slice(0, equals), word.slice(equals + 1)] as const);
      });
  return pairs.map(([key, text]) => {
    const expanded = expandWord(key, variables);
    if (expanded === '' || text === undefined) throw invalid(instruction, `${instruction} with NAME=value`);
    return [expanded, expandWord(text, variables)];
  });
}

const wordsOf = (rest: string, config: ImageRunConfig): readonly string[] =>
  splitWords(rest).map((word) => expandWord(word, variablesOf(config)));

function wordOf(instruction: string, rest: string, config: ImageRunConfig): string {
  const [word = '', ...more] = wordsOf(rest, config);
  if (word === '' || more.length > 0) throw invalid(instruction, `${instruction} with one word behind it`);
  return word;
}

function variablesOf({ Env = [] }: ImageRunConfig): Variables {
  return Object.fromEntries(
    Env.map((entry) => {
      const equals = entry.indexOf('=');
      return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}

function invalid(instruction: string, expected: string): EngineError {
  return new EngineError('INVALID_OPTION', { option: 'changes', expected, got: instruction.slice(0, 200) });
}

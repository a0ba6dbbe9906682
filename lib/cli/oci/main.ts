#!/usr/bin/env node
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';
import { packageVersion } from '../../util/package-version.js';
import { optionLines, programName } from './help.js';
import { type Log, openLog } from './log.js';
import { type OptionSpecs, type ParsedOptions, parseArguments } from './parse-arguments.js';
import type { Command, RuntimeContext } from './runtime-context.js';
import { UsageError } from './usage-error.js';

const globalOptions = {
  root: { kind: 'text', help: 'directory of the containers’ state' },
  log: { kind: 'text', help: 'file that gets messages too' },
  'log-format': { kind: 'text', help: 'text or json' },
  'log-level': { kind: 'text', help: 'accepted; --debug decides' },
  debug: { kind: 'flag', help: 'more messages' },
  'systemd-cgroup': { kind: 'flag', help: 'cgroupsPath is slice:prefix:name; the groups are made without systemd' },
  'cgroup-manager': { kind: 'text', help: 'cgroupfs, systemd or disabled' },
  rootless: { kind: 'text', help: 'accepted; found out by itself' },
  version: { kind: 'flag', short: 'v', help: 'print the version' },
  help: { kind: 'flag', short: 'h', help: 'print this' },
} as const satisfies OptionSpecs;

/** Each command is loaded when it is called: what the others need costs nothing then. */
const commands: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  create: () => import('./create.js'),
  start: () => import('./start.js'),
  state: () => import('./state.js'),
  kill: () => import('./kill.js'),
  delete: () => import('./delete.js'),
  exec: () => import('./exec.js'),
  run: () => import('./run.js'),
  list: () => import('./list.js'),
  update: () => import('./update.js'),
  pause: () => import('./pause.js'),
  resume: () => import('./resume.js'),
  ps: () => import('./ps.js'),
  events: () => import('./events.js'),
  features: () => import('./features.js'),
  spec: () => import('./spec.js'),
};

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  let log: Log = openLog({ target: undefined, format: undefined, debug: false });
  try {
    const { options, rest } = parseArguments(words, globalOptions);
    if (options.version) return print(versionText());
    if (options.help || (rest.length === 0 && words.length === 0)) return print(helpText());
    log = openLog({ target: options.log, format: options['log-format'], debug: options.debug });
    const [name = '', ...operands] = rest;
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (load === undefined) throw new UsageError(`unknown command '${name}'`);
    const { command } = await load();
    return await command(contextOf(options, log), operands);
  } catch (error) {
    return report(error, log, words.includes('--debug'));
  }
}

function contextOf(options: ParsedOptions<typeof globalOptions>, log: Log): RuntimeContext {
  const manager = options['cgroup-manager'] ?? 'cgroupfs';
  if (!['cgroupfs', 'systemd', 'disabled'].includes(manager))
    throw new UsageError(`unknown cgroup manager '${manager}'`);
  const runtimeDirectory = process.geteuid?.() === 0 ? '/run' : (process.env['XDG_RUNTIME_DIR'] ?? '/tmp');
  return {
    root: options.root ?? join(runtimeDirectory, programName),
    systemdCgroup: options['systemd-cgroup'] || manager === 'systemd',
    cgroupsDisabled: manager === 'disabled',
    log,
  };
}

/** Programs that drive runtimes look for these words in the messages of the two most frequent failures. */
function report(error: unknown, log: Log, debug: boolean): number {
  if (EngineError.is(error, 'PROGRAM_NOT_FOUND')) {
    log.error(`executable file '${error.data.program}' not found in $PATH: No such file or directory`);
    return error.data.exitCode;
  }
  if (EngineError.is(error, 'PROGRAM_NOT_EXECUTABLE')) {
    const reason = error.data.errno === 'EACCES' ? 'Permission denied' : error.data.errno;
    log.error(`cannot execute '${error.data.program}': ${reason}`);
    return error.data.exitCode;
  }
  log.error(error instanceof Error ? error.message : String(error));
  if (EngineError.is(error))
    for (const each of error.cleanupErrors)
      log.warn(`while cleaning up: ${each instanceof Error ? each.message : String(each)}`);
  if (debug && error instanceof Error && error.stack !== undefined) log.debug(error.stack);
  return 1;
}

function print(text: string): number {
  writeSync(1, text);
  return 0;
}

function versionText(): string {
  return `${programName} version ${packageVersion()}\nspec: 1.2.1\n`;
}

function helpText(): string {
  return [
    `Usage: ${programName} [OPTION...] COMMAND [OPTION...]`,
    '',
    'Commands:',
    ...Object.keys(commands).map((name) => `  ${name}`),
    '',
    'Options:',
    ...optionLines(globalOptions),
    '',
  ].join('\n');
}

import type { OptionSpecs } from './parse-arguments.js';

/** Options that `create` and `run` share. */
export const containerOptions = {
  bundle: { kind: 'text', short: 'b', help: 'directory of the bundle; default: the working directory' },
  config: { kind: 'text', short: 'f', help: 'configuration, relative to the bundle; default: config.json' },
  'console-socket': { kind: 'text', help: 'UNIX socket that gets the terminal' },
  'pid-file': { kind: 'text', help: 'file that gets the number of the container process' },
  'preserve-fds': { kind: 'number', help: 'how many descriptors, from 3, the program gets' },
  'no-pivot': { kind: 'flag', help: 'move the root instead of pivoting to it' },
  'no-new-keyring': { kind: 'flag', help: 'accepted; no keyring is made' },
  'no-subreaper': { kind: 'flag', help: 'accepted; no command is a subreaper' },
} as const satisfies OptionSpecs;

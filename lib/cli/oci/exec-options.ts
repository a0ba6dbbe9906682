import type { OptionSpecs, ParsedOptions } from './parse-arguments.js';

export const execOptions = {
  process: { kind: 'text', short: 'p', help: 'file with the process as JSON; - for stdin' },
  detach: { kind: 'flag', short: 'd', help: 'leave the process running' },
  tty: { kind: 'flag', short: 't', help: 'give it a terminal' },
  'console-socket': { kind: 'text', help: 'UNIX socket that gets the terminal' },
  'pid-file': { kind: 'text', help: 'file that gets the number of the process' },
  'preserve-fds': { kind: 'number', help: 'how many descriptors, from 3, the program gets' },
  cwd: { kind: 'text', help: 'working directory' },
  env: { kind: 'list', short: 'e', help: 'KEY=value, may be repeated' },
  user: { kind: 'text', short: 'u', help: 'UID[:GID]' },
  'additional-gids': { kind: 'list', short: 'g', help: 'a further group, may be repeated' },
  cap: { kind: 'list', short: 'c', help: 'a further capability, may be repeated' },
  'no-new-privs': { kind: 'flag', help: 'exec gives no new privileges' },
  apparmor: { kind: 'text', help: 'AppArmor profile' },
  'process-label': { kind: 'text', help: 'SELinux label' },
  cgroup: { kind: 'text', help: 'group below the container’s' },
  'ignore-paused': { kind: 'flag', help: 'also in a paused container' },
} as const satisfies OptionSpecs;

export type ExecOptions = ParsedOptions<typeof execOptions>;

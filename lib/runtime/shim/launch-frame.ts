import type { LaunchPlan } from '../launch-plan.js';
import type { LaunchOptions } from '../launcher.js';
import { logFiles } from '../log-files.js';
import type { RestartRequest } from '../restart-policy.js';
import { noFiles, type SupervisorFiles, type SupervisorRestart } from './control-channel.js';

/** TSC_LAUNCH_… of native/src/control.h. */
const flags = { owned: 1, durable: 2, serve: 4, stdin: 8, stdinOnce: 16, hold: 32 } as const;

export function flagsOf({ lifetime, durable, stdin, output }: LaunchOptions): number {
  const always = (lifetime === 'owner' ? flags.owned : 0) | (durable ? flags.durable : 0);
  if (output === 'pipe') return always;
  const input = (stdin.startsWith('attached') ? flags.stdin : 0) | (stdin === 'attached-once' ? flags.stdinOnce : 0);
  return always | flags.serve | input | (output.hold === true ? flags.hold : 0);
}

/** What the supervisor is told besides the plan. */
export function supervisorFiles(options: LaunchOptions): SupervisorFiles {
  const { processFile, exitFile, oomFile, output, restart, journal } = options;
  const log = output === 'pipe' ? undefined : output.log;
  return {
    process: processFile ?? '',
    exit: exitFile ?? '',
    oom: oomFile ?? '',
    log: log === undefined ? noFiles.log : { ...log, files: logFiles(log.prefix) },
    restart: restart === undefined ? noFiles.restart : supervisorRestart(restart),
    journal: journal ?? noFiles.journal,
  };
}

/** TSC_RESTART_… of native/src/restart.h. */
const policies = { always: 1, 'on-failure': 2 } as const;

const supervisorRestart = ({ policy, maxRetries, stopFile, restartFile }: RestartRequest): SupervisorRestart => ({
  ...{ policy: policies[policy], maxRetries, stopFile, restartFile },
});

/** The plan, with the socket for attachers if there shall be one. */
export function withSocket(plan: LaunchPlan, { output }: LaunchOptions): LaunchPlan {
  const socket = output === 'pipe' ? undefined : output.socket;
  if (socket === undefined) return plan;
  return { ...plan, prepare: [{ op: 'listen', path: socket }, ...plan.prepare] };
}

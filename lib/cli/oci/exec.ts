import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';
import { buildOciJoinPlan } from '../../runtime/oci/build-oci-join-plan.js';
import { decodeOci, decodeOciConfig } from '../../runtime/oci/oci-config.js';
import { type OciProcess, ociProcess } from '../../runtime/oci/oci-process.js';
import { configCopy, identityOf, readRecord } from './container-record.js';
import { statusOf } from './container-status.js';
import { seccompPlanner } from './create-container.js';
import { defineCommand } from './define-command.js';
import { type ExecOptions, execOptions } from './exec-options.js';
import { execProcess } from './exec-process.js';
import { followForeground } from './follow-foreground.js';
import { foreignNamespaces } from './foreign-namespaces.js';
import { joinCgroups } from './join-cgroups.js';
import { keptDescriptors } from './kept-descriptors.js';
import { startShim } from './shim-session.js';
import { UsageError } from './usage-error.js';

/** Runs a further process in a container. */
export const command = defineCommand({
  usage: 'exec CONTAINER cmd',
  options: execOptions,
  operands: [1, Number.POSITIVE_INFINITY],
  run: async (context, options, [id = '', ...args]) => {
    const record = readRecord(context, id);
    const status = statusOf(record);
    if (status !== 'running' && status !== 'created' && !(status === 'paused' && options['ignore-paused']))
      throw new EngineError('WRONG_STATE', { id, status, wanted: 'running' });
    const config = decodeOciConfig(readFileSync(configCopy(context, id), 'utf8'));
    const process = requestedProcess(options, config.process, args);
    const consoleSocket = options['console-socket'];
    if (process.terminal === true && options.detach && consoleSocket === undefined)
      throw new UsageError('use --console-socket with a terminal and --detach');
    const kept = keptDescriptors(options['preserve-fds'] ?? 0);
    const { bundle, ociVersion } = record;
    const session = await startShim(
      buildOciJoinPlan({
        target: identityOf(record),
        namespaces: foreignNamespaces(record.pid),
        process,
        linux: config.linux ?? {},
        join: joinCgroups(record.cgroup, options.cgroup),
        handOver: options.detach,
        console: consoleSocket === undefined ? 'relay' : { socketPath: resolve(consoleSocket) },
        keptDescriptors: kept,
        addedEnvironment: [],
        planSeccomp: await seccompPlanner(config, { ociVersion, id, bundle }),
      }),
      kept,
    );
    if (options['pid-file'] !== undefined) writeFileSync(options['pid-file'], String(session.identity.pid));
    if (!options.detach) return followForeground(session, process.terminal === true && consoleSocket === undefined);
    session.leave();
    return 0;
  },
});

function requestedProcess(options: ExecOptions, base: OciProcess | undefined, args: readonly string[]): OciProcess {
  if (options.process !== undefined) {
    const path = options.process;
    return decodeOci(readFileSync(path === '-' ? 0 : path, 'utf8'), ociProcess, path);
  }
  if (args.length === 0) throw new UsageError('no program, expected: exec CONTAINER cmd');
  return execProcess(options, base ?? { cwd: '/' }, args);
}

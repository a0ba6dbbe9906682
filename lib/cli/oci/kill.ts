import { EngineError } from '../../core/errors/engine-error.js';
import { parseSignal } from '../../core/signal.js';
import { thawCgroup } from '../../runtime/cgroup/freeze-cgroup.js';
import { fsCgroupControl } from '../../runtime/cgroup/fs-cgroup-control.js';
import { listProcesses } from '../../runtime/cgroup/list-processes.js';
import { hasErrno } from '../../util/errno.js';
import { openContact } from './contact.js';
import { cgroupFilesOf } from './container-cgroup.js';
import { type ContainerRecord, controlSocket, identityOf, readRecord } from './container-record.js';
import { isAlive, statusOf } from './container-status.js';
import { defineCommand } from './define-command.js';
import type { RuntimeContext } from './runtime-context.js';
import { selectContainers } from './select-containers.js';

const SIGKILL = 9;

/** Sends a signal to the first process of a container, or to all of them. */
export const command = defineCommand({
  usage: 'kill CONTAINER [SIGNAL]',
  options: {
    all: { kind: 'flag', short: 'a', help: 'to all processes of the container' },
    regex: { kind: 'flag', short: 'r', help: 'CONTAINER is a regular expression' },
    signal: { kind: 'text', help: 'the signal, by name or number' },
  },
  operands: [1, 2],
  optionsAnywhere: true,
  run: async (context, options, [id = '', word]) => {
    const signal = parseSignal(options.signal ?? word ?? 'SIGTERM');
    for (const each of selectContainers(context, id, options.regex))
      await signalContainer(context, readRecord(context, each), signal, options.all);
    return 0;
  },
});

async function signalContainer(
  context: RuntimeContext,
  record: ContainerRecord,
  signal: number,
  all: boolean,
): Promise<void> {
  const status = statusOf(record);
  const files = cgroupFilesOf(record);
  if (all && files.processes !== undefined) {
    for (const pid of await listProcesses(files, fsCgroupControl)) sendQuietly(pid, signal);
  } else if (status === 'stopped' || status === 'creating') {
    throw new EngineError('WRONG_STATE', { id: record.id, status, wanted: 'running' });
  } else {
    await signalFirst(context, record, signal);
  }
  if (signal === SIGKILL && status === 'paused') await thawCgroup(files, fsCgroupControl); // frozen processes do not die
}

async function signalFirst(context: RuntimeContext, record: ContainerRecord, signal: number): Promise<void> {
  const contact = await openContact(controlSocket(context, record.id));
  if (contact !== undefined) {
    const sent = await contact.signal(signal);
    contact.close();
    if (sent) return;
  } else if (isAlive(identityOf(record))) {
    process.kill(record.pid, signal);
    return;
  }
  throw new EngineError('WRONG_STATE', { id: record.id, status: 'stopped', wanted: 'running' });
}

function sendQuietly(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error;
  }
}

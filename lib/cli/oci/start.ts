import { readFileSync } from 'node:fs';
import { EngineError } from '../../core/errors/engine-error.js';
import { errnoName } from '../../core/errors/errno-name.js';
import { decodeOciConfig } from '../../runtime/oci/oci-config.js';
import { openContact } from './contact.js';
import { configCopy, controlSocket, readRecord, writeRecord } from './container-record.js';
import { stateOf, statusOf } from './container-status.js';
import { defineCommand } from './define-command.js';
import { deleteContainer } from './delete-container.js';
import { runHostHooks } from './run-host-hooks.js';

/** Lets the program of a created container run. */
export const command = defineCommand({
  usage: 'start CONTAINER',
  options: {},
  operands: [1, 1],
  run: async (context, _options, [id = '']) => {
    const record = readRecord(context, id);
    const status = statusOf(record);
    if (status !== 'created') throw new EngineError('WRONG_STATE', { id, status, wanted: 'created' });
    const contact = await openContact(controlSocket(context, id));
    if (contact === undefined) throw new EngineError('SHIM_FAILED', { what: 'it does not answer' });
    const failure = await contact.start();
    contact.close();
    if (failure !== undefined) throw startError(record.id, failure);
    const started = { ...record, started: true };
    writeRecord(context, started);
    const { hooks } = decodeOciConfig(readFileSync(configCopy(context, id), 'utf8'));
    try {
      runHostHooks('poststart', hooks?.poststart ?? [], { ...stateOf(started), status: 'running' });
    } catch (error) {
      await deleteContainer(context, started);
      throw error;
    }
    return 0;
  },
});

/** The plan is gone with the command that made it; what failed is known all the same. */
function startError(id: string, failure: { errno: number; syscall: string; operand: string }): EngineError {
  const errno = errnoName(failure.errno);
  if (failure.syscall === 'execve' && (errno === 'ENOENT' || errno === 'ENOTDIR'))
    return new EngineError('PROGRAM_NOT_FOUND', { program: failure.operand, exitCode: 127 });
  if (failure.syscall === 'execve')
    return new EngineError('PROGRAM_NOT_EXECUTABLE', { program: failure.operand, errno, exitCode: 126 });
  return new EngineError('LAUNCH_FAILED', {
    stage: 'child',
    operation: failure.syscall,
    errno,
    operand: failure.operand,
    hint: `starting ${id}`,
  });
}

import { existsSync } from 'node:fs';
import { EngineError } from '../../core/errors/engine-error.js';
import { checkContainerId, containerDirectory, readRecord, removeRecord } from './container-record.js';
import { statusOf } from './container-status.js';
import { defineCommand } from './define-command.js';
import { deleteContainer } from './delete-container.js';
import type { RuntimeContext } from './runtime-context.js';
import { selectContainers } from './select-containers.js';

/** Removes containers. */
export const command = defineCommand({
  usage: 'delete CONTAINER',
  options: {
    force: { kind: 'flag', short: 'f', help: 'kill a running container first; a missing one is fine' },
    regex: { kind: 'flag', short: 'r', help: 'CONTAINER is a regular expression' },
  },
  operands: [1, 1],
  optionsAnywhere: true,
  run: async (context, options, [id = '']) => {
    for (const each of selectContainers(context, id, options.regex)) await deleteOne(context, each, options.force);
    return 0;
  },
});

async function deleteOne(context: RuntimeContext, id: string, force: boolean): Promise<void> {
  let record: ReturnType<typeof readRecord>;
  try {
    record = readRecord(context, id);
  } catch (error) {
    if (!force || !EngineError.is(error, 'NO_SUCH_CONTAINER')) throw error;
    // A creation that was killed has left a directory without a record.
    if (existsSync(containerDirectory(context, checkContainerId(id)))) removeRecord(context, id);
    return;
  }
  const status = statusOf(record);
  if (!force && status !== 'stopped' && status !== 'created')
    throw new EngineError('WRONG_STATE', { id, status, wanted: 'stopped' });
  await deleteContainer(context, record);
}

import { writeSync } from 'node:fs';
import { readRecord } from './container-record.js';
import { stateOf } from './container-status.js';
import { defineCommand } from './define-command.js';

/** Prints the state of a container as JSON. @see OCI runtime-spec, runtime.md, "State" */
export const command = defineCommand({
  usage: 'state CONTAINER',
  options: {},
  operands: [1, 1],
  run: (context, _options, [id = '']) => {
    const record = readRecord(context, id);
    const { rootfs, created, owner } = record;
    writeSync(1, `${JSON.stringify({ ...stateOf(record), rootfs, created, owner }, undefined, 2)}\n`);
    return 0;
  },
});

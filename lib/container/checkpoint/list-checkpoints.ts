import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';
import { containerFiles } from '../container-files.js';
import type { ContainerServices } from '../container-services.js';
import { checkpointFiles, checkpointName, checkpointsDirectory, readCheckpoint } from './checkpoint-files.js';

/** A checkpoint of a container. */
export interface CheckpointInfo {
  readonly name: string;
  readonly createdAt: Date;
}

/** The checkpoints of a container, oldest first. @throws EngineError `NO_SUCH_CONTAINER`, `CORRUPT_RECORD`. */
export function listCheckpoints({ layout }: ContainerServices, id: string): readonly CheckpointInfo[] {
  if (!existsSync(containerFiles(layout, id).directory)) throw new EngineError('NO_SUCH_CONTAINER', { reference: id });
  const all = checkpointsDirectory(layout, id);
  if (!existsSync(all)) return [];
  const names = readdirSync(all).filter((name) => !name.startsWith('.'));
  return names
    .map((name) => {
      const { createdAt } = readCheckpoint(checkpointFiles(join(all, name)), id, name);
      return { name, createdAt: new Date(createdAt) };
    })
    .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
}

/** The caller holds the container's lock. @throws EngineError `NO_SUCH_CHECKPOINT`, `INVALID_OPTION`. */
export async function removeCheckpoint({ layout }: ContainerServices, id: string, given: string): Promise<void> {
  const name = checkpointName(given);
  const all = checkpointsDirectory(layout, id);
  const gone = join(all, `.gone-${randomBytes(6).toString('hex')}`); // what is cut short is no checkpoint any more
  if (!existsSync(join(all, name))) throw new EngineError('NO_SUCH_CHECKPOINT', { id, name });
  await rename(join(all, name), gone);
  await rm(gone, { recursive: true, force: true });
}

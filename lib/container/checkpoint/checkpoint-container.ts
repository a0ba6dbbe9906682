import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Abortable } from '../../core/abortable.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { DumpFailure } from '../../runtime/checkpointer.js';
import { writeFileAtomically } from '../../util/atomic-file.js';
import { UndoStack } from '../../util/undo-stack.js';
import { awaitSettled } from '../await-process.js';
import { containerState } from '../container-cgroup.js';
import type { ContainerRecord } from '../container-record.js';
import type { ContainerServices } from '../container-services.js';
import { waitContainer } from '../wait-container.js';
import { type CheckpointRecord, checkpointFiles, checkpointName, checkpointsDirectory } from './checkpoint-files.js';
import { outsideResources } from './outside-resources.js';
import { sourcesOf } from './restored-processes.js';
import { mountRestrictions } from './restrictions.js';

/** How a checkpoint is made. */
export interface CheckpointOptions extends Abortable {
  /** Letters, digits, dots, hyphens, underscores. Default `checkpoint`. */
  readonly name?: string;
  /** The container goes on; its files may then no longer be those of the checkpoint. Default false: it ends (137). */
  readonly leaveRunning?: boolean;
  /** Established TCP connections are part of it; else such a container is refused. Default false. */
  readonly tcpEstablished?: boolean;
  /** Locks of files are part of it; else a container that holds some is refused. Default false. */
  readonly fileLocks?: boolean;
}

/** Writes the processes of a running container to files. The caller holds the container's lock. */
export async function checkpointContainer(
  services: ContainerServices,
  record: ContainerRecord,
  options: CheckpointOptions,
): Promise<void> {
  const { id, config } = record;
  const { layout, checkpointer } = services;
  const name = checkpointName(options.name);
  refuse(record);
  const state = containerState(services, record);
  if (state.status !== 'running') throw new EngineError('WRONG_STATE', { id, status: state.status, wanted: 'running' });
  await checkpointer.check(options);
  const all = checkpointsDirectory(layout, id);
  const target = join(all, name);
  if (existsSync(target)) throw new EngineError('NAME_TAKEN', { what: 'checkpoint', name, by: `container ${id}` });
  const { pid } = state.process;
  const outside = outsideResources(pid, config, sourcesOf(services, record), id);
  const { leaveRunning = false, tcpEstablished = false, fileLocks = false, signal } = options;
  const files = checkpointFiles(join(all, `.new-${randomBytes(6).toString('hex')}`));
  const undo = new UndoStack();
  try {
    mkdirSync(all, { recursive: true, mode: 0o700 });
    undo.defer(() => rmSync(files.directory, { recursive: true, force: true }));
    for (const each of [files.directory, files.images]) mkdirSync(each, { mode: 0o700 });
    const made: CheckpointRecord = {
      version: 1,
      createdAt: services.now().toISOString(),
      tcpEstablished,
      fileLocks,
      mounts: mountRestrictions(pid),
      outside,
    };
    await writeFileAtomically(files.record, JSON.stringify(made));
    await checkpointer.dump({ images: files.images, outside, tcpEstablished, fileLocks, pid, leaveRunning, signal });
    renameSync(files.directory, target); // the point of no return: the processes may have ended
    undo.commit();
  } catch (error) {
    return undo.fail(error instanceof DumpFailure ? failed(id, error) : error);
  }
  if (leaveRunning) return;
  await waitContainer(services, id, {});
  await awaitSettled(services.live.get(id));
}

const failed = (id: string, { message: reason }: DumpFailure): EngineError =>
  new EngineError('CHECKPOINT_FAILED', { id, action: 'checkpoint', reason });

/** What cannot be made again as it was is refused before anything is done. */
function refuse({ id, config, root }: ContainerRecord): void {
  const { namespaces } = config;
  const reasons: Readonly<Record<string, boolean>> = {
    'it has a terminal': config.stdio.tty !== undefined,
    'it has a restart policy': config.restart !== undefined,
    'it has a user namespace': namespaces?.users !== undefined,
    'it shares namespaces with the host or another container':
      namespaces?.pid !== undefined || namespaces?.ipc !== undefined || namespaces?.uts !== undefined,
    'it can change its cgroups': config.writableCgroups === true,
    'its root is in memory, or is that of the host': config.rootfs?.host === true || isInMemory(root),
  };
  for (const [reason, isSo] of Object.entries(reasons))
    if (isSo) throw new EngineError('CHECKPOINT_UNSUPPORTED', { id, reason });
}

const isInMemory = (root: ContainerRecord['root']): boolean => root.type === 'overlay' && root.inMemory === true;

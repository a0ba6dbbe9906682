import { EngineError } from '../../core/errors/engine-error.js';
import type { LaunchedProcess, LaunchRequest } from '../../runtime/launcher.js';
import type { ContainerRecord } from '../container-record.js';
import type { ContainerServices } from '../container-services.js';
import type { CheckpointedProcesses } from './restored-processes.js';
import { missingRestriction, mountRestrictions } from './restrictions.js';

const SIGKILL = 9;

/**
 * Launches a container. Restored processes whose mounts allow more than they did are ended at once.
 *
 * @throws EngineError what the launcher throws; `CHECKPOINT_FAILED` in the words of who restores.
 */
export async function launchOrRestore(
  { launcher, checkpointer }: ContainerServices,
  { id }: ContainerRecord,
  restored: CheckpointedProcesses | undefined,
  request: LaunchRequest,
): Promise<LaunchedProcess> {
  if (restored === undefined) return launcher.launch(request);
  const failed = (reason: string, cause?: unknown): EngineError =>
    new EngineError('CHECKPOINT_FAILED', { id, action: 'restore', reason }, { cause });
  const process = await launcher.launch(request).catch((error: unknown) => {
    if (!EngineError.is(error, 'LAUNCH_FAILED') || !error.data.operation.startsWith('revive')) throw error;
    throw failed(checkpointer.failureOf(restored.command.logFile) ?? error.data.operand, error);
  });
  const missing = missingNow(restored, process.identity.pid);
  if (missing === undefined) return process;
  process.signal(SIGKILL);
  await process.released;
  throw failed(missing);
}

function missingNow({ mounts, masked }: CheckpointedProcesses, pid: number): string | undefined {
  try {
    return missingRestriction(mounts, mountRestrictions(pid), masked);
  } catch {
    return undefined; // it has ended already
  }
}

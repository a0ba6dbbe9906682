import type { Abortable } from '../../core/abortable.js';
import { attachCleanupErrors } from '../../core/errors/attach-cleanup-errors.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { delay } from '../../util/abort.js';
import type { CgroupFiles } from './cgroup.js';
import type { CgroupControl } from './cgroup-control.js';

export interface FreezeOptions extends Abortable {
  /** For all processes to stop. Default 10000. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const LONGEST_PAUSE_MS = 20;

/**
 * Stops all processes of a container where they are, and returns when they have stopped. Signals wait, except that
 * SIGKILL ends processes on v2; on v1 they must be thawed first.
 *
 * @throws EngineError `CONTROLLER_MISSING` on v1 without the freezer, `PAUSE_TIMEOUT`; when that or the signal ends the
 * wait, the processes run again.
 */
export async function freezeCgroup(
  files: CgroupFiles,
  control: CgroupControl,
  options: FreezeOptions = {},
): Promise<void> {
  const { path, frozen, state } = freezeFiles(files);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const deadline = performance.now() + timeoutMs;
  try {
    for (let pause = 1; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      // Again each time: on v1 a process that was just made may have slipped through, and only this looks for it.
      await control.writeText(path, frozen);
      if (await isIn(state.path, state.frozen, control)) return;
      if (performance.now() > deadline) {
        const text = ((await control.readText(state.path)) ?? '').trim().slice(0, 200);
        throw new EngineError('PAUSE_TIMEOUT', { path: state.path, state: text, timeoutMs });
      }
      await delay(pause, options.signal);
    }
  } catch (error) {
    await thawCgroup(files, control).catch((failure: unknown) => attachCleanupErrors(error, [failure]));
    throw error;
  }
}

/** Lets the processes run again. @throws EngineError `CONTROLLER_MISSING` on v1 without the freezer. */
export async function thawCgroup(files: CgroupFiles, control: CgroupControl): Promise<void> {
  const { path, thawed } = freezeFiles(files);
  await control.writeText(path, thawed);
}

/** The same as {@link isFrozen} at once; false where there is no freezer. */
export function isFrozenNow(files: CgroupFiles, control: Pick<CgroupControl, 'peek'>): boolean {
  if (files.freeze === undefined) return false;
  const { state } = files.freeze;
  return hasLine(control.peek(state.path), state.frozen);
}

/** All processes have stopped. @throws EngineError `CONTROLLER_MISSING` on v1 without the freezer. */
export async function isFrozen(files: CgroupFiles, control: Pick<CgroupControl, 'readText'>): Promise<boolean> {
  const { state } = freezeFiles(files);
  return isIn(state.path, state.frozen, control);
}

async function isIn(path: string, line: string, control: Pick<CgroupControl, 'readText'>): Promise<boolean> {
  return hasLine(await control.readText(path), line);
}

const hasLine = (text: string | undefined, line: string): boolean => (text ?? '').split('\n').includes(line);

function freezeFiles(files: CgroupFiles): NonNullable<CgroupFiles['freeze']> {
  if (files.freeze !== undefined) return files.freeze;
  throw new EngineError('CONTROLLER_MISSING', {
    option: 'pause',
    controller: 'freezer',
    hint: 'its v1 hierarchy is not mounted or not writable',
  });
}

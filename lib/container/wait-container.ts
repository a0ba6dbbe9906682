import { existsSync } from 'node:fs';
import { EngineError } from '../core/errors/engine-error.js';
import type { ExitStatus } from '../core/exit-status.js';
import { watchUntil } from '../util/watch-until.js';
import { awaitExit } from './await-process.js';
import { type ContainerFiles, containerFiles, readState } from './container-files.js';
import type { ContainerServices, LiveContainer } from './container-services.js';
import { type RunWaitOptions, type WaitOptions, waitConditionOf } from './wait-options.js';

/** The record of an exit is an event of the directory; that a supervisor was killed is none, hence the second look. */
const LOOK_AGAIN_MS = 500;

/**
 * How a container ends, or has ended, or with `next-exit` its run.
 *
 * @param known What the caller has started itself: its exit is known also after the container was removed.
 * @throws EngineError `WRONG_STATE` for one that was never started, unless its next exit is waited for; `NO_SUCH_CONTAINER` for
 * one that was removed so long ago that its exit is not known any more, or that never had one; `INVALID_OPTION`.
 */
export async function waitContainer(
  services: ContainerServices,
  id: string,
  options: RunWaitOptions = {},
  known?: LiveContainer,
): Promise<ExitStatus> {
  const wait = waitConditionOf(options) === 'next-exit' ? waitNextExit : waitNotRunning;
  const exit = await wait(services, id, options, known);
  if (exit === undefined) throw new EngineError('NO_SUCH_CONTAINER', { reference: id });
  return exit;
}

/** The same for every condition. Undefined for a container that is removed and was never started. */
export function waitForCondition(
  services: ContainerServices,
  id: string,
  { condition, ...others }: WaitOptions,
  known?: LiveContainer,
): Promise<ExitStatus | undefined> {
  if (condition === 'removed') return waitRemoved(services, id, others, known);
  return waitContainer(services, id, { ...others, ...(condition && { condition }) }, known);
}

/** Undefined for a container that was never started. */
async function waitRemoved(
  services: ContainerServices,
  id: string,
  { signal }: WaitOptions,
  known?: LiveContainer,
): Promise<ExitStatus | undefined> {
  const { directory } = containerFiles(services.layout, id);
  const look = (): true | undefined => (existsSync(directory) ? undefined : true);
  await watchUntil(services.layout.containers(), look, { lookAgainMs: LOOK_AGAIN_MS, signal });
  return services.exits.find(id) ?? (known && awaitExit(known.process, signal));
}

async function waitNotRunning(
  services: ContainerServices,
  id: string,
  { signal }: WaitOptions,
  known?: LiveContainer,
): Promise<ExitStatus | undefined> {
  const files = containerFiles(services.layout, id);
  const live = services.live.get(id) ?? known;
  const state = readState(files);
  if (state.status === 'exited') return state.exit;
  if (state.status === 'created') {
    if (existsSync(files.directory)) throw new EngineError('WRONG_STATE', { id, status: 'created', wanted: 'started' });
    return live === undefined ? services.exits.find(id) : awaitExit(live.process, signal);
  }
  const hasEnded = (): ExitStatus | undefined => {
    const now = readState(files);
    return now.status === 'exited' ? now.exit : undefined;
  };
  if (live?.process.identity.pid !== state.process.pid) return waitForRecord(services, files, id, hasEnded, signal);
  try {
    return await awaitExit(live.process, signal);
  } catch (error) {
    // Somebody has killed the supervisor; what is left of the container tells the rest.
    if (EngineError.is(error, 'SHIM_FAILED')) return waitForRecord(services, files, id, hasEnded, signal);
    throw error;
  }
}

/** The record of a run stays until the next run begins, at least 100 ms later, and until the container is removed. */
function waitNextExit(
  services: ContainerServices,
  id: string,
  { signal }: WaitOptions,
): Promise<ExitStatus | undefined> {
  const files = containerFiles(services.layout, id);
  const exitNow = (): ExitStatus | undefined => {
    const state = readState(files);
    return 'exit' in state ? state.exit : undefined;
  };
  const before = exitNow()?.finishedAt.getTime();
  const isNew = (exit: ExitStatus | undefined): ExitStatus | undefined =>
    exit === undefined || exit.finishedAt.getTime() === before ? undefined : exit;
  const hasEnded = (): ExitStatus | undefined => isNew(exitNow());
  return waitForRecord(services, files, id, hasEnded, signal).then(isNew);
}

/** For a run that another process has started, or will start. */
async function waitForRecord(
  services: ContainerServices,
  files: ContainerFiles,
  id: string,
  hasEnded: () => ExitStatus | undefined,
  signal: AbortSignal | undefined,
): Promise<ExitStatus | undefined> {
  type Seen = { readonly exit: ExitStatus | undefined };
  const look = (): Seen | undefined => {
    const exit = hasEnded();
    if (exit !== undefined) return { exit };
    return existsSync(files.directory) ? undefined : { exit: services.exits.find(id) };
  };
  const directory = existsSync(files.runRecord) ? files.runDirectory : files.directory;
  return (await watchUntil(directory, look, { lookAgainMs: LOOK_AGAIN_MS, signal })).exit;
}

import type { ExitStatus } from '../core/exit-status.js';
import type { LaunchedProcess } from '../runtime/launcher.js';
import { orAbort } from '../util/abort.js';
import type { LiveContainer } from './container-services.js';

/** How a process ends. Meanwhile this Node process stays alive, since somebody is waiting. */
export async function awaitExit(process: LaunchedProcess, signal?: AbortSignal): Promise<ExitStatus> {
  const letGo = process.keepAlive();
  try {
    return await orAbort(process.exited, signal);
  } finally {
    letGo();
  }
}

/** Until everything of a start was given back. The same holds for this. */
export async function awaitSettled(live: LiveContainer | undefined): Promise<void> {
  if (live === undefined) return;
  const letGo = live.process.keepAlive();
  try {
    await live.settled;
  } finally {
    letGo();
  }
}

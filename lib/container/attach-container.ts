import { existsSync } from 'node:fs';
import { EngineError } from '../core/errors/engine-error.js';
import type { Attachment } from '../runtime/attachment.js';
import { type AttachOptions, resolveAttach } from './attach-options.js';
import { AttachedStreams } from './attached-streams.js';
import { type ContainerFiles, containerFiles, readState } from './container-files.js';
import type { ContainerRecord } from './container-record.js';
import type { ContainerServices } from './container-services.js';
import { LogReplay } from './replay-log.js';

/**
 * Attaches to a container: to one that runs, whoever has started it; else to its next start by this engine.
 *
 * @throws EngineError `INVALID_OPTION`, `NO_SUCH_CONTAINER`; `NOT_ATTACHABLE` when it ends in this moment, or has as many
 * attachers as it takes (32).
 */
export async function attachContainer(
  services: ContainerServices,
  record: ContainerRecord,
  options: AttachOptions = {},
): Promise<AttachedStreams> {
  const { id, config } = record;
  const files = containerFiles(services.layout, id);
  const { request, detachKeys } = resolveAttach(options, files.socket, config.stdio);
  services.work.assertOpen();
  options.signal?.throwIfAborted();
  if (!existsSync(files.directory)) throw new EngineError('NO_SUCH_CONTAINER', { reference: id });
  const attachment = services.launcher.attachment(request);
  services.attachments.add(attachment);
  endOnAbort(attachment, options.signal);
  const streams = new AttachedStreams(attachment, detachKeys, config.stdio.tty !== undefined);
  const replay = options.logs === true ? new LogReplay(services, record, attachment) : undefined;
  if (readState(files).status !== 'running') {
    services.attachments.connectAtStart(id, attachment, () => connectAtStart(attachment, replay));
  } else if (replay === undefined) {
    await connectNow(attachment);
  } else {
    void connectBehind(attachment, replay, files); // its streams have to be read first
  }
  return streams;
}

async function connectNow(attachment: Attachment): Promise<void> {
  try {
    await attachment.connect();
    attachment.flow();
  } catch (failure) {
    attachment.end({ failure });
    throw failure;
  }
}

/** What was logged by earlier runs comes first, but the start does not wait until it was read. */
async function connectAtStart(attachment: Attachment, replay: LogReplay | undefined): Promise<void> {
  try {
    const { logPosition } = await attachment.connect();
    void replayAndFlow(attachment, replay, logPosition);
  } catch (failure) {
    attachment.end({ failure });
  }
}

/** Replays first, so that little live output waits meanwhile. What goes wrong ends the attachment. */
async function connectBehind(attachment: Attachment, replay: LogReplay, files: ContainerFiles): Promise<void> {
  try {
    await replay.untilNow();
    const { logPosition } = await attachment.connect();
    await replayAndFlow(attachment, replay, logPosition);
  } catch (failure) {
    const state = readState(files);
    if (!EngineError.is(failure, 'NOT_ATTACHABLE') || state.status !== 'exited') {
      attachment.end({ failure });
      return;
    }
    // It has ended during the replay: the rest of its log is the rest of its output.
    await replay.untilNow().catch((reason: unknown) => attachment.end({ failure: reason }));
    attachment.end({ reason: 'exited', exit: state.exit });
  }
}

async function replayAndFlow(
  attachment: Attachment,
  replay: LogReplay | undefined,
  position: bigint | undefined,
): Promise<void> {
  try {
    if (position !== undefined) await replay?.until(position);
    attachment.flow();
  } catch (failure) {
    attachment.end({ failure });
  }
}

function endOnAbort(attachment: Attachment, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const onAbort = (): void => attachment.end({ failure: signal.reason });
  signal.addEventListener('abort', onAbort, { once: true });
  const forget = (): void => signal.removeEventListener('abort', onAbort);
  attachment.ended.then(forget, forget);
}

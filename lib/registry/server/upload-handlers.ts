import type { Digest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';
import { isRepositoryName } from '../../core/reference.js';
import { type Exchange, type RegistryContext, send } from './exchange.js';
import { RegistryFailure } from './registry-failure.js';
import { checkDigest } from './route.js';
import type { UploadSession } from './upload-sessions.js';

/** POST `…/blobs/uploads/`: begins an upload, mounts a blob, or takes one at once. */
export async function startUpload(context: RegistryContext, exchange: Exchange, repository: string): Promise<void> {
  const { query } = exchange;
  const mount = query.get('mount');
  if (mount !== null && (await mountBlob(context, exchange, repository, checkDigest(mount)))) return;
  const whole = query.get('digest');
  const algorithm = query.get('digest-algorithm');
  if (algorithm !== null && algorithm !== 'sha256' && algorithm !== 'sha512') {
    throw new RegistryFailure(400, 'DIGEST_INVALID', 'digests are of sha256 or sha512');
  }
  const digest = whole === null ? undefined : checkDigest(whole);
  const session = await context.uploads.begin(repository);
  if (digest === undefined) return sendStatus(exchange, session, 202);
  try {
    await receive(exchange, session);
    await commit(context, exchange, session, digest);
  } finally {
    await context.uploads.end(session);
  }
}

/** PATCH: takes a part. */
export async function continueUpload(
  context: RegistryContext,
  exchange: Exchange,
  repository: string,
  id: string,
): Promise<void> {
  await useSession(context, exchange, repository, id, async (session) => {
    checkPlace(exchange, session);
    await receive(exchange, session);
    sendStatus(exchange, session, 202);
  });
}

/** PUT: takes the last part, if there is one, and makes the blob present. */
export async function finishUpload(
  context: RegistryContext,
  exchange: Exchange,
  repository: string,
  id: string,
): Promise<void> {
  await useSession(context, exchange, repository, id, async (session) => {
    const digest = checkDigest(exchange.query.get('digest') ?? '');
    checkPlace(exchange, session);
    await receive(exchange, session);
    try {
      await commit(context, exchange, session, digest);
    } finally {
      await context.uploads.end(session);
    }
  });
}

/** GET: says how much is here. */
export async function showUpload(
  context: RegistryContext,
  exchange: Exchange,
  repository: string,
  id: string,
): Promise<void> {
  await useSession(context, exchange, repository, id, async (session) => sendStatus(exchange, session, 204));
}

/** DELETE: throws away what is here. */
export async function cancelUpload(
  context: RegistryContext,
  exchange: Exchange,
  repository: string,
  id: string,
): Promise<void> {
  await useSession(context, exchange, repository, id, (session) => context.uploads.end(session));
  send(exchange, 204);
}

function useSession(
  { uploads }: RegistryContext,
  exchange: Exchange,
  repository: string,
  id: string,
  work: (session: UploadSession) => Promise<void>,
): Promise<void> {
  return uploads.use(repository, id, () => exchange.request.destroy(), work);
}

/** Without a place where it is, or without the right to read that, the client is offered to upload the blob. */
async function mountBlob(
  { storage }: RegistryContext,
  exchange: Exchange,
  repository: string,
  digest: Digest,
): Promise<boolean> {
  const from = exchange.query.get('from') ?? '';
  if (!isRepositoryName(from) || !(await exchange.mayRead(from))) return false;
  if (!(await storage.mountBlob(repository, digest, from))) return false;
  sendCreated(exchange, repository, digest);
  return true;
}

/** @see OCI distribution-spec, "Pushing a blob in chunks" */
function checkPlace({ request }: Exchange, session: UploadSession): void {
  const header = request.headers['content-range'];
  if (header === undefined) return;
  const match = /^(?:bytes )?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(header);
  const [from, to] = [Number(match?.[1] ?? Number.NaN), Number(match?.[2] ?? Number.NaN)];
  const length = request.headers['content-length'];
  const fits = from === session.writer.size && to >= from && (length === undefined || Number(length) === to - from + 1);
  if (fits) return;
  throw new RegistryFailure(416, 'BLOB_UPLOAD_INVALID', `the next part begins at ${session.writer.size}`, {
    ...statusHeaders(session),
  });
}

/** What came before a connection is cut stays: the client may go on from there. */
async function receive({ request }: Exchange, { writer }: UploadSession): Promise<void> {
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (writer.size + chunk.byteLength > limits.layerBytes) {
      throw new RegistryFailure(413, 'SIZE_INVALID', `blobs have at most ${limits.layerBytes} bytes`);
    }
    await writer.append(chunk);
  }
}

async function commit(
  { storage }: RegistryContext,
  exchange: Exchange,
  session: UploadSession,
  digest: Digest,
): Promise<void> {
  try {
    await storage.commitBlob(session.repository, session.writer, digest);
  } catch (error) {
    if (!EngineError.is(error, 'DIGEST_MISMATCH')) throw error;
    throw new RegistryFailure(400, 'DIGEST_INVALID', 'what was uploaded has another digest');
  }
  sendCreated(exchange, session.repository, digest);
}

function sendCreated(exchange: Exchange, repository: string, digest: Digest): void {
  send(exchange, 201, { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest });
}

function sendStatus(exchange: Exchange, session: UploadSession, status: 202 | 204): void {
  send(exchange, status, statusHeaders(session));
}

function statusHeaders({ repository, id, writer }: UploadSession): Record<string, string> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: `0-${Math.max(0, writer.size - 1)}`,
    'docker-upload-uuid': id,
  };
}

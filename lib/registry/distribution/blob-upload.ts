import type { Descriptor } from '../../core/descriptor.js';
import { isDigest, splitDigest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import type { OpenBlob, PushBlobOptions } from '../registry-client.js';
import { hasBlob } from './has-blob.js';
import { openPart, type SentPart } from './open-part.js';
import type { RegistryEndpoint } from './registry-endpoint.js';
import type { RegistrySession, SessionRequest, SessionResponse } from './registry-session.js';
import { closingLocation, receivedBytes, uploadLocation } from './upload-location.js';
import { pauseBefore, toUserError } from './with-retries.js';

export interface BlobUploadOptions {
  readonly session: RegistrySession;
  readonly endpoint: RegistryEndpoint;
  readonly repository: string;
  readonly descriptor: Descriptor;
  readonly open: OpenBlob;
  readonly scopes: readonly string[];
  /** Parts in which the blob is sent when it cannot be sent at once. */
  readonly chunkBytes: number;
  readonly options: PushBlobOptions;
}

/** An upload that is given up is cancelled; a registry that does not even answer that is not waited for. */
const cancelMs = 2000;

/**
 * The upload of one blob: at once, since that is what every registry takes, or in parts, when that has failed without
 * getting anywhere. After a cut it goes on where the registry says that it is.
 *
 * @see OCI distribution-spec, "Pushing a blob monolithically", "Pushing a blob in chunks"
 */
export class BlobUpload {
  readonly #target: BlobUploadOptions;
  #location: URL | undefined;
  #offset = 0;
  #inParts = false;
  #minPartBytes = 0;

  constructor(target: BlobUploadOptions) {
    this.#target = target;
  }

  /** Goes on with an upload that the registry has begun, in place of one that was there already. */
  async adopt(location: URL): Promise<void> {
    await this.cancel();
    this.#location = location;
  }

  /** Resolves when the repository has the blob. */
  async run(): Promise<void> {
    try {
      await this.#runToEnd();
      this.#location = undefined;
    } catch (error) {
      await this.cancel();
      throw toUserError(error);
    }
  }

  /** Gives the registry its resources back, if it wants to know. */
  async cancel(): Promise<void> {
    const location = this.#location;
    if (location === undefined) return;
    this.#location = undefined;
    const signal = AbortSignal.timeout(cancelMs);
    try {
      await this.#ask(
        { method: 'DELETE', path: location, retries: 0, signal, headers: { 'content-length': '0' } },
        () => true,
      );
    } catch {
      // "Clients SHOULD ignore any failures": the registry forgets the upload by itself in the end.
    }
  }

  async #runToEnd(): Promise<void> {
    const { session, options } = this.#target;
    for (let failures = 0; ; ) {
      const before = this.#offset;
      try {
        this.#location ??= await this.#begin();
        if (await this.#sendNext(this.#location)) return;
        failures = 0;
      } catch (error) {
        options.signal?.throwIfAborted();
        const pauseMs = pauseBefore(error, failures, session.policy.clock);
        const isForgotten = this.#location !== undefined && hasStatus(error, 404);
        const isMendable = isForgotten || hasStatus(error, 416) || (hasStatus(error, 413) && !this.#inParts);
        if ((pauseMs === undefined && !isMendable) || failures >= session.policy.retries) throw error;
        if (isForgotten) this.#location = undefined; // some registries still say how far a broken upload has come
        await session.policy.clock.delay(pauseMs ?? 0, options.signal);
        if (await this.#isComplete()) return;
        const advanced = this.#offset > before;
        this.#inParts ||= !advanced;
        failures = advanced ? 0 : failures + 1;
      }
    }
  }

  async #begin(): Promise<URL> {
    const { repository, descriptor, endpoint } = this.#target;
    const [algorithm] = splitDigest(descriptor.digest);
    const query = algorithm === 'sha256' ? '' : `?digest-algorithm=${algorithm}`;
    this.#offset = 0;
    const path = `${repository}/blobs/uploads/${query}`;
    return this.#ask({ method: 'POST', path, headers: { 'content-length': '0' } }, (response) => {
      if (response.status !== 202 && response.status !== 201) return undefined;
      this.#minPartBytes = Number(/^\d{1,12}$/.exec(response.headers.get('oci-chunk-min-length') ?? '')?.[0] ?? 0);
      return uploadLocation(response, endpoint.registry);
    });
  }

  /** True when that was the end. */
  async #sendNext(location: URL): Promise<boolean> {
    const { chunkBytes, descriptor } = this.#target;
    const rest = descriptor.size - this.#offset;
    const partBytes = Math.max(chunkBytes, this.#minPartBytes);
    if (this.#inParts && rest > partBytes) {
      await this.#sendPart(location, this.#offset + partBytes);
      return false;
    }
    await this.#close(location);
    return true;
  }

  async #sendPart(location: URL, to: number): Promise<void> {
    const from = this.#offset;
    const { registry } = this.#target.endpoint;
    await this.#send('PATCH', location, from, to, true, (response) => {
      if (response.status !== 202) return undefined;
      const received = response.headers.has('range') ? receivedBytes(response) : to;
      if (received > to) throw new EngineError('REGISTRY_PROTOCOL', { registry, reason: 'it has more than was sent' });
      this.#location = uploadLocation(response, registry);
      this.#offset = received;
      return true;
    });
  }

  async #close(location: URL): Promise<void> {
    const { descriptor } = this.#target;
    const url = closingLocation(location, descriptor.digest);
    await this.#send('PUT', url, this.#offset, descriptor.size, this.#offset > 0, (response) => {
      if (response.status !== 201) return undefined;
      this.#verify(response);
      return true;
    });
  }

  async #send(
    method: 'PUT' | 'PATCH',
    path: URL,
    from: number,
    to: number,
    withRange: boolean,
    accept: (response: SessionResponse) => true | undefined,
  ): Promise<void> {
    const { open, options } = this.#target;
    const part = openPart(open, from, to, (doneBytes) => options.onProgress?.(doneBytes));
    const headers = {
      'content-type': 'application/octet-stream',
      'content-length': String(to - from),
      ...(withRange && to > from && { 'content-range': `${from}-${to - 1}` }),
    };
    const body = from === to ? () => new Uint8Array() : part.open;
    try {
      await this.#ask({ method, path, headers, body, retries: 0 }, accept);
    } catch (error) {
      throw explain(error, part, this.#target);
    }
  }

  /** Finds out how far the upload has come; true when the blob is there, although nobody could say so. */
  async #isComplete(): Promise<boolean> {
    const { session, endpoint, repository, descriptor, scopes, options } = this.#target;
    const location = this.#location;
    const status =
      location === undefined
        ? undefined
        : await this.#ask({ path: location }, (response) => {
            if (response.status >= 200 && response.status < 300) {
              return { location: uploadLocation(response, endpoint.registry), received: receivedBytes(response) };
            }
            // Some registries have no status of uploads, or forget one that was cut.
            if (response.status >= 400 && response.status < 500 && response.status !== 429) return 'gone';
            return undefined;
          });
    if (status !== undefined && status !== 'gone' && status.received <= descriptor.size) {
      this.#location = status.location;
      this.#offset = status.received;
      return false;
    }
    if (status !== 'gone') await this.cancel();
    this.#location = undefined;
    this.#offset = 0;
    return hasBlob(session, endpoint, repository, descriptor.digest, scopes, options);
  }

  #verify(response: SessionResponse): void {
    const { descriptor } = this.#target;
    const said = response.headers.get('docker-content-digest')?.trim() ?? '';
    const sameAlgorithm = isDigest(said) && splitDigest(said)[0] === splitDigest(descriptor.digest)[0];
    if (!sameAlgorithm || said === descriptor.digest) return;
    const what = `blob at ${this.#target.endpoint.registry}`;
    throw new EngineError('DIGEST_MISMATCH', { what, expected: descriptor.digest, actual: said });
  }

  #ask<T>(
    request: Omit<SessionRequest, 'endpoint' | 'scopes' | 'onNotice'>,
    accept: (response: SessionResponse) => T | undefined,
  ): Promise<T> {
    const { session, endpoint, scopes, options } = this.#target;
    const { signal, onNotice } = options;
    return session.ask({ signal, onNotice, ...request, endpoint, scopes }, accept);
  }
}

/**
 * 404: the registry knows nothing of the upload. 413: a proxy takes no bodies of that size. 416: the registry has another
 * part of the blob than was thought.
 */
function hasStatus(error: unknown, status: 404 | 413 | 416): boolean {
  return EngineError.is(error, 'REGISTRY_FAILED') && error.data.status === status;
}

/** Whose failure it was: the source's, the bytes', or the connection's. */
function explain(error: unknown, part: SentPart, { descriptor, endpoint }: BlobUploadOptions): unknown {
  if (part.failure !== undefined) return part.failure;
  if (EngineError.is(error, 'REGISTRY_FAILED') && error.data.reason.startsWith('DIGEST_INVALID')) {
    const what = `blob as ${endpoint.registry} has got it`;
    return new EngineError('DIGEST_MISMATCH', { what, expected: descriptor.digest, actual: 'another one' });
  }
  return error;
}

import type { Descriptor } from '../../core/descriptor.js';
import { splitDigest } from '../../core/digest.js';
import { EngineError } from '../../core/errors/engine-error.js';
import type { Reference } from '../../core/reference.js';
import type { OpenBlob, PushBlobOptions, PushedBlob } from '../registry-client.js';
import { BlobUpload } from './blob-upload.js';
import { hasBlob } from './has-blob.js';
import type { RegistryEndpoint } from './registry-endpoint.js';
import type { RegistrySession } from './registry-session.js';
import { repositoryScope } from './scopes.js';
import { uploadLocation } from './upload-location.js';

export interface PushBlobTarget {
  readonly session: RegistrySession;
  readonly endpoint: RegistryEndpoint;
  readonly reference: Reference;
  readonly descriptor: Descriptor;
  /** Parts in which a blob is sent when it cannot be sent at once. */
  readonly chunkBytes: number;
}

/** More places are not tried: each costs a round trip, and the blob can be uploaded. */
const maxMounts = 3;

/**
 * Makes a blob present in a repository.
 *
 * @see OCI distribution-spec, "Pushing blobs", "Mounting a blob from another repository"
 */
export async function pushBlob(target: PushBlobTarget, open: OpenBlob, options: PushBlobOptions): Promise<PushedBlob> {
  const { session, endpoint, reference, descriptor } = target;
  const { repository } = reference;
  const scopes = [repositoryScope(repository, 'pull', 'push')];
  if (await hasBlob(session, endpoint, repository, descriptor.digest, scopes, options)) return { how: 'existed' };
  const upload = new BlobUpload({ ...target, repository, open, scopes, options });
  for (const from of (options.mountFrom ?? []).slice(0, maxMounts)) {
    if (from === repository) continue;
    const begun = await mount(target, from, options);
    if (begun === 'mounted') return { how: 'mounted', from };
    if (begun !== undefined) await upload.adopt(begun);
  }
  await upload.run();
  return { how: 'uploaded' };
}

/** `'mounted'`, or where the upload may begin that the registry offers instead; undefined when it offers nothing. */
async function mount(
  target: PushBlobTarget,
  from: string,
  options: PushBlobOptions,
): Promise<URL | 'mounted' | undefined> {
  const { session, endpoint, reference, descriptor } = target;
  const query = new URLSearchParams({ mount: descriptor.digest, from, ...algorithmOf(descriptor) });
  const request = {
    ...options,
    endpoint,
    method: 'POST',
    path: `${reference.repository}/blobs/uploads/?${query}`,
    scopes: [repositoryScope(reference.repository, 'pull', 'push'), repositoryScope(from, 'pull')],
    headers: { 'content-length': '0' },
  } as const;
  try {
    return await session.ask(request, (response) => {
      if (response.status === 201) return 'mounted';
      return response.status === 202 ? uploadLocation(response, endpoint.registry) : undefined;
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    // Not being allowed to read the other repository, or its not having the blob, forbids no upload.
    const refused = EngineError.is(error, 'REGISTRY_DENIED') || EngineError.is(error, 'REGISTRY_FAILED');
    if (refused) return undefined;
    throw error;
  }
}

/** Registries expect sha256 unless they are told. */
function algorithmOf({ digest }: Descriptor): { readonly 'digest-algorithm'?: string } {
  const [algorithm] = splitDigest(digest);
  return algorithm === 'sha256' ? {} : { 'digest-algorithm': algorithm };
}

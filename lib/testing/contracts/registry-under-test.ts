import { randomBytes } from 'node:crypto';
import type { Descriptor } from '../../core/descriptor.js';
import { digestOf } from '../../core/digest.js';
import { mediaTypes } from '../../core/media-types.js';
import { hostPlatform } from '../../core/platform.js';
import type { Reference } from '../../core/reference.js';
import type { RegistryClient } from '../../registry/registry-client.js';

/** A registry client under test, and the registry that it speaks to. */
export interface RegistryUnderTest extends AsyncDisposable {
  readonly client: RegistryClient;
  /** The registry part of references. Repositories below `contract/` must not exist there. */
  readonly host: string;
  /** True when single tags can be deleted there. */
  readonly deletesTags: boolean;
  /** Who is let in, when not everybody is. */
  readonly user?: { readonly username: string; readonly password: string };
}

/** What the parts of the contract work with. */
export interface RegistryContractLab {
  readonly subject: () => RegistryUnderTest;
  /** A repository that nobody has used; its tag is `1`. */
  readonly fresh: () => Reference;
}

/** Pushes bytes as a blob. */
export async function pushBytes(
  { subject }: RegistryContractLab,
  reference: Reference,
  bytes: Uint8Array,
  mediaType: string = mediaTypes.ociLayer,
): Promise<Descriptor> {
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
  await subject().client.pushBlob(reference, descriptor, (offset) => inPieces(bytes.subarray(offset)));
  return descriptor;
}

/** Pushes a manifest, under the tag of the reference or its own digest. */
export async function pushDocument(
  { subject }: RegistryContractLab,
  reference: Reference,
  document: { readonly mediaType: string },
): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, ...document }));
  const descriptor = { mediaType: document.mediaType, digest: digestOf(bytes), size: bytes.byteLength };
  await subject().client.pushManifest(reference, { descriptor, bytes });
  return descriptor;
}

/** Pushes an image of this machine, unlike any other, whose only layer is empty. */
export async function pushImage(lab: RegistryContractLab, reference: Reference): Promise<Descriptor> {
  const archive = new Uint8Array(1024);
  const content = {
    ...hostPlatform(),
    config: { Labels: { unique: randomBytes(8).toString('hex') } },
    rootfs: { type: 'layers', diff_ids: [digestOf(archive)] },
  };
  const config = await pushBytes(lab, reference, Buffer.from(JSON.stringify(content)), mediaTypes.ociConfig);
  const layers = [await pushBytes(lab, reference, archive)];
  const document = { mediaType: mediaTypes.ociManifest, config, layers };
  return pushDocument(lab, reference, document);
}

/** `bytes` as a stream of several chunks. */
export async function* inPieces(bytes: Uint8Array, pieceBytes = 100_000): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

import type { Descriptor } from '../core/descriptor.js';
import type { ImageIndex, ImageManifest } from '../core/manifest.js';

/** How a manifest is listed among the referrers of its subject. @see OCI distribution-spec, "Listing Referrers" */
export function referrerDescriptor(document: ImageManifest | ImageIndex, manifest: Descriptor): Descriptor {
  const { digest, size, mediaType } = manifest;
  const artifactType = document.artifactType ?? (document.kind === 'manifest' ? document.config.mediaType : undefined);
  return {
    mediaType,
    digest,
    size,
    ...(artifactType !== undefined && { artifactType }),
    ...(document.annotations !== undefined && { annotations: document.annotations }),
  };
}

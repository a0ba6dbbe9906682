/**
 * The bounds of everything that comes from outside (images, registries, archives, containers), each with its reason.
 * They are enforced while streaming, not after.
 */
export const limits = {
  /** OCI distribution-spec, "Pushing Manifests": registries should take at least 4 MiB; we read as much. */
  manifestBytes: 4 * 1024 * 1024,
  /** Image configs of real images stay under 100 KiB; same bound as for manifests. */
  configBytes: 4 * 1024 * 1024,
  /** Members of an archive of images: some ten for each layer in Docker's oldest format. */
  archiveMembers: 20_000,
  /** An archive of images, uncompressed. */
  archiveBytes: 1024 * 1024 * 1024 * 1024,
  /** Docker's own bound on the number of layers is 127. */
  layers: 512,
  /** The widest index in practice has some 40 entries: platforms, each with an attestation. */
  indexEntries: 1024,
  /** An index may list indexes; tools write two levels at most. */
  indexDepth: 4,
  /** Manifests fetched to find the one for a platform. */
  manifestFetches: 16,
  /** Registries answer with one redirect to their storage, rarely two. */
  redirects: 5,
  /** A credential helper prints one small JSON object. */
  credentialBytes: 256 * 1024,
  /** A token answer is a JWT and a few numbers. */
  tokenBytes: 256 * 1024,
  /** Values and members of a JSON document that came with an image: JSON.parse of so many takes some milliseconds. */
  documentValues: 200_000,
  /** A page of tags, repositories or referrers. Registries give 1000 names at most unless asked for more. */
  listBytes: 4 * 1024 * 1024,
  /** Pages of one list. */
  listPages: 10_000,
  /** OCI distribution-spec, "Warnings": all headers of an answer combined. */
  warningBytes: 4096,
  /** Error bodies are shown to people. */
  errorBodyBytes: 16 * 1024,
  /** Programs and texts stay below 20:1, large files of zeros beside them included; zlib ends at 1032:1, zstd far above. */
  decompressionRatio: 200,
  /** An uncompressed layer: larger than any honest one, smaller than most disks. */
  layerBytes: 256 * 1024 * 1024 * 1024,
  /** A stored JSON record of ours. */
  recordBytes: 16 * 1024 * 1024,
  /** Exits of removed containers that are remembered; `docker wait` after a removal knows none. */
  keptExits: 1024,
  /** The same. */
  keptExitMs: 60 * 60 * 1000,
  /** Output kept in memory by `run` and `exec`, for each of stdout and stderr; an option overrides it. */
  bufferedOutputBytes: 16 * 1024 * 1024,
  /** Output of a health check's probe that is kept: Docker's bound. */
  probeOutputBytes: 4096,
  /** Processes of a container that are listed; the kernel's own default for a whole machine is half of it. */
  listedProcesses: 65_536,
  /** Of each process' arguments: what people read of them. */
  commandLineBytes: 4096,
  /** Network interfaces of a container that are counted; one is usual. */
  interfaces: 1024,
  /** The kernel's table of so many interfaces, each a line of at most 250 bytes. */
  interfaceTableBytes: 256 * 1024,
  /** A launch plan; the shim has the same constant. */
  planBytes: 4 * 1024 * 1024,
} as const;

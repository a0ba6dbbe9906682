import { type Decoded, integer, listOf, literal, mapOf, optional, record, text } from '../../core/decode.js';
import { absolutePath, cText, numericId, unsigned32, wide } from './decode-values.js';
import { ociResources } from './oci-resources.js';

export const idMapping = record({ containerID: numericId, hostID: numericId, size: unsigned32 });

const namespace = record({
  type: literal('pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time'),
  path: optional(absolutePath),
});

const device = record({
  type: literal('c', 'b', 'u', 'p'),
  path: absolutePath,
  major: optional(integer),
  minor: optional(integer),
  fileMode: optional(unsigned32),
  uid: optional(numericId),
  gid: optional(numericId),
});

const seccomp = record({
  defaultAction: text,
  defaultErrnoRet: optional(integer),
  architectures: optional(listOf(text)),
  flags: optional(listOf(text)),
  listenerPath: optional(cText),
  listenerMetadata: optional(text),
  syscalls: optional(
    listOf(
      record({
        names: listOf(text),
        action: text,
        errnoRet: optional(integer),
        args: optional(listOf(record({ index: integer, value: wide, valueTwo: optional(wide), op: text }))),
      }),
    ),
  ),
});

const offset = record({ secs: optional(wide), nanosecs: optional(unsigned32) });

/** @see OCI runtime-spec, config-linux.md */
export const ociLinux = record({
  namespaces: optional(listOf(namespace)),
  uidMappings: optional(listOf(idMapping)),
  gidMappings: optional(listOf(idMapping)),
  timeOffsets: optional(record({ monotonic: optional(offset), boottime: optional(offset) })),
  devices: optional(listOf(device)),
  netDevices: optional(mapOf(record({ name: optional(cText) }))),
  cgroupsPath: optional(cText),
  resources: optional(ociResources),
  sysctl: optional(mapOf(cText)),
  seccomp: optional(seccomp),
  rootfsPropagation: optional(text),
  maskedPaths: optional(listOf(absolutePath)),
  readonlyPaths: optional(listOf(absolutePath)),
  mountLabel: optional(cText),
  personality: optional(record({ domain: text, flags: optional(listOf(text)) })),
  memoryPolicy: optional(record({ mode: optional(text), nodes: optional(text), flags: optional(listOf(text)) })),
});

export type OciLinux = Decoded<typeof ociLinux>;
export type OciIdMapping = Decoded<typeof idMapping>;
export type OciNamespace = Decoded<typeof namespace>;
export type OciDevice = Decoded<typeof device>;
export type OciSeccomp = Decoded<typeof seccomp>;

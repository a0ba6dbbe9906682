import { bool, type Decoded, integer, listOf, optional, record, text } from '../../core/decode.js';
import { absolutePath, cText, numericId, unsigned32, wide } from './decode-values.js';

const capabilities = record({
  bounding: optional(listOf(text)),
  effective: optional(listOf(text)),
  inheritable: optional(listOf(text)),
  permitted: optional(listOf(text)),
  ambient: optional(listOf(text)),
});

const user = record({
  uid: optional(numericId),
  gid: optional(numericId),
  umask: optional(unsigned32),
  additionalGids: optional(listOf(numericId)),
});

const scheduler = record({
  policy: text,
  nice: optional(integer),
  priority: optional(integer),
  flags: optional(listOf(text)),
  runtime: optional(wide),
  deadline: optional(wide),
  period: optional(wide),
});

/** @see OCI runtime-spec, config.md, "Process" */
export const ociProcess = record({
  terminal: optional(bool),
  consoleSize: optional(record({ height: unsigned32, width: unsigned32 })),
  cwd: absolutePath,
  env: optional(listOf(cText)),
  args: optional(listOf(cText)),
  user: optional(user),
  capabilities: optional(capabilities),
  rlimits: optional(listOf(record({ type: text, soft: wide, hard: wide }))),
  noNewPrivileges: optional(bool),
  apparmorProfile: optional(cText),
  selinuxLabel: optional(cText),
  oomScoreAdj: optional(integer),
  scheduler: optional(scheduler),
  ioPriority: optional(record({ class: text, priority: optional(integer) })),
  execCPUAffinity: optional(record({ initial: optional(text), final: optional(text) })),
});

export type OciProcess = Decoded<typeof ociProcess>;
export type OciCapabilities = Decoded<typeof capabilities>;
export type OciScheduler = Decoded<typeof scheduler>;

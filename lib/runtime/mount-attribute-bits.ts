import type { MountAttribute } from './launch-plan.js';

/** MOUNT_ATTR_…; the access time is a field of three bits rather than a flag. @see mount_setattr(2) */
const attributeBits: Readonly<Record<MountAttribute, bigint>> = {
  ro: 0x1n,
  nosuid: 0x2n,
  nodev: 0x4n,
  noexec: 0x8n,
  noatime: 0x10n,
  strictatime: 0x20n,
  nodiratime: 0x80n,
  nosymfollow: 0x200000n,
};
const ACCESS_TIME_MASK = 0x70n;

/** What mount_setattr(2) sets and clears for these. */
export function mountAttributeBits(attributes: readonly MountAttribute[]): { set: bigint; clear: bigint } {
  const set = attributes.reduce((bits, attribute) => bits | attributeBits[attribute], 0n);
  return { set, clear: (set & ACCESS_TIME_MASK) === 0n ? 0n : ACCESS_TIME_MASK };
}

import { EngineError } from '../core/errors/engine-error.js';

/** In the order of their bits, from 0 (CHOWN) to 40 (CHECKPOINT_RESTORE). @see capabilities(7), linux/capability.h */
const names = [
  ...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP'],
  ...['LINUX_IMMUTABLE', 'NET_BIND_SERVICE', 'NET_BROADCAST', 'NET_ADMIN', 'NET_RAW', 'IPC_LOCK', 'IPC_OWNER'],
  ...['SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT', 'SYS_PTRACE', 'SYS_PACCT', 'SYS_ADMIN', 'SYS_BOOT', 'SYS_NICE'],
  ...['SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'MKNOD', 'LEASE', 'AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP'],
  ...['MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF'],
  'CHECKPOINT_RESTORE',
] as const;

/** A capability without its `CAP_` prefix. */
export type Capability = (typeof names)[number];

/** All capabilities that this package knows. */
export const allCapabilities: readonly Capability[] = names;

/** What a container gets unless told otherwise; the same as Docker's. */
export const defaultCapabilities: readonly Capability[] = [
  ...(['CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'MKNOD', 'NET_RAW', 'SETGID', 'SETUID', 'SETFCAP'] as const),
  ...(['SETPCAP', 'NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE'] as const),
];

export interface CapabilityOptions {
  /** Names in any case, with or without `CAP_`; `'ALL'` for every capability. Default: none. */
  readonly capAdd?: readonly string[] | undefined;
  /** Same form. Wins over `capAdd` where both name the same capability. Default: none. */
  readonly capDrop?: readonly string[] | undefined;
  /** Where `ALL` stops: what the caller itself may hand out. Default: all 41. */
  readonly available?: ReadonlySet<Capability> | undefined;
}

/**
 * The capabilities of a container: the default ones, plus `capAdd`, minus `capDrop`. `capDrop: ['ALL']` with
 * `capAdd: [x]` is exactly x; `capAdd: ['ALL']` with `capDrop: [x]` is all but x; `ALL` in both is nothing.
 *
 * @throws EngineError `INVALID_OPTION` for an unknown name.
 */
export function resolveCapabilities(options: CapabilityOptions = {}): ReadonlySet<Capability> {
  const add = parseList(options.capAdd ?? [], 'capAdd');
  const drop = parseList(options.capDrop ?? [], 'capDrop');
  const base = add.all ? (options.available ?? names) : drop.all ? [] : defaultCapabilities;
  const granted = new Set<Capability>([...base, ...add.listed]);
  if (add.all && drop.all) granted.clear();
  for (const each of drop.listed) granted.delete(each);
  return granted;
}

/** `chown` or `CAP_CHOWN` to `CHOWN`. @throws EngineError `INVALID_OPTION` naming `option`. */
export function parseCapability(text: string, option = 'capability'): Capability {
  const name = text.toUpperCase().replace(/^CAP_/, '');
  const index = (names as readonly string[]).indexOf(name);
  const found = names[index];
  if (found === undefined) {
    throw new EngineError('INVALID_OPTION', {
      option,
      expected: 'the name of a capability, like NET_ADMIN, or ALL',
      got: JSON.stringify(text.slice(0, 200)),
    });
  }
  return found;
}

/** One bit for each capability, as in `CapEff` of /proc/self/status. */
export function capabilityMask(capabilities: Iterable<Capability>): bigint {
  let mask = 0n;
  for (const each of capabilities) mask |= 1n << BigInt(names.indexOf(each));
  return mask;
}

/** The known capabilities of a mask; bits of newer ones are left out. */
export function capabilitiesOfMask(mask: bigint): ReadonlySet<Capability> {
  return new Set(names.filter((_, bit) => ((mask >> BigInt(bit)) & 1n) === 1n));
}

function parseList(list: readonly string[], option: string): { all: boolean; listed: Capability[] } {
  const rest = list.filter((each) => !/^(?:CAP_)?ALL$/i.test(each));
  return { all: rest.length < list.length, listed: rest.map((each) => parseCapability(each, option)) };
}

/** What the options of one mount say, sorted by who acts on them. */
export interface MountOptions {
  readonly bind: boolean;
  readonly recursiveBind: boolean;
  /** MOUNT_ATTR_… of the mount itself. @see mount_setattr(2) */
  readonly set: bigint;
  readonly clear: bigint;
  /** The same for the mount and everything below it: the options that begin with `r`. */
  readonly recursiveSet: bigint;
  readonly recursiveClear: bigint;
  /** MS_SHARED and the like, 0 for none. */
  readonly propagation: number;
  readonly recursivePropagation: boolean;
  readonly idMap: 'none' | 'idmap' | 'ridmap';
  /** `uids=…;gids=…` behind `idmap=`. */
  readonly idMapText: string | undefined;
  readonly copyUp: boolean;
  readonly copySymlink: boolean;
  readonly destinationNoFollow: boolean;
  readonly sourceNoFollow: boolean;
  /** For the file system: `key=value` or `flag`. */
  readonly data: readonly string[];
}

const ACCESS_TIME = 0x70n;
const bits = { ro: 0x1n, nosuid: 0x2n, nodev: 0x4n, noexec: 0x8n, nodiratime: 0x80n, nosymfollow: 0x200000n } as const;

/** Attribute changes by option; the recursive form is the same with an `r` before it. */
const attributeOptions: Readonly<Record<string, { readonly set: bigint; readonly clear: bigint }>> = {
  ...Object.fromEntries(Object.entries(bits).map(([name, bit]) => [name, { set: bit, clear: 0n }])),
  rw: { set: 0n, clear: bits.ro },
  suid: { set: 0n, clear: bits.nosuid },
  dev: { set: 0n, clear: bits.nodev },
  exec: { set: 0n, clear: bits.noexec },
  diratime: { set: 0n, clear: bits.nodiratime },
  symfollow: { set: 0n, clear: bits.nosymfollow },
  noatime: { set: 0x10n, clear: ACCESS_TIME },
  strictatime: { set: 0x20n, clear: ACCESS_TIME },
  relatime: { set: 0n, clear: ACCESS_TIME },
  atime: { set: 0n, clear: ACCESS_TIME },
  norelatime: { set: 0n, clear: 0n },
  nostrictatime: { set: 0n, clear: ACCESS_TIME },
};

/** @see mount(2) */
const propagations: Readonly<Record<string, number>> = {
  unbindable: 1 << 17,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
};

/** Flags of a superblock that mean something to fsconfig(2) but nothing to a bind mount. */
const superblockOptions: ReadonlySet<string> = new Set(['sync', 'dirsync', 'mand', 'lazytime']);
/** Defaults of the kernel, and what only mount(8) knows. */
const withoutEffect: ReadonlySet<string> = new Set([
  ...['defaults', 'async', 'rasync', 'nomand', 'rnomand', 'rmand', 'rsync', 'rdirsync', 'nolazytime', 'remount'],
  ...['iversion', 'noiversion', 'loud', 'silent', 'auto', 'noauto', 'user', 'nouser', 'noowner', 'owner', '_netdev'],
]);

/** Sorts the options of one mount. What is no known option is the file system's. @see OCI runtime-spec, config.md, "Linux mount options" */
export function parseMountOptions(options: readonly string[], type: string): MountOptions {
  const bind = type === 'bind' || options.some((option) => option === 'bind' || option === 'rbind');
  const result = {
    bind,
    recursiveBind: options.includes('rbind'),
    set: 0n,
    clear: 0n,
    recursiveSet: 0n,
    recursiveClear: 0n,
    propagation: 0,
    recursivePropagation: false,
    idMap: 'none' as MountOptions['idMap'],
    idMapText: undefined as string | undefined,
    copyUp: options.includes('tmpcopyup'),
    copySymlink: options.includes('copy-symlink'),
    destinationNoFollow: options.includes('dest-nofollow'),
    sourceNoFollow: options.includes('src-nofollow'),
    data: [] as string[],
  };
  const known = new Set(['bind', 'rbind', 'tmpcopyup', 'copy-symlink', 'dest-nofollow', 'src-nofollow']);
  for (const option of options) {
    const plain = attributeOptions[option];
    const recursive = option.startsWith('r') ? option.slice(1) : '';
    const deep = attributeOptions[recursive];
    if (known.has(option) || withoutEffect.has(option)) continue;
    if (plain !== undefined) {
      [result.set, result.clear] = change(result.set, result.clear, plain);
    } else if (deep !== undefined) {
      [result.recursiveSet, result.recursiveClear] = change(result.recursiveSet, result.recursiveClear, deep);
    } else if (Object.hasOwn(propagations, option)) {
      result.propagation = propagations[option] ?? 0;
      result.recursivePropagation = false;
    } else if (Object.hasOwn(propagations, recursive)) {
      result.propagation = propagations[recursive] ?? 0;
      result.recursivePropagation = true;
    } else if (/^r?idmap(?:=|$)/.test(option)) {
      result.idMap = option.startsWith('r') ? 'ridmap' : 'idmap';
      result.idMapText = option.includes('=') ? option.slice(option.indexOf('=') + 1) : undefined;
    } else if (!(bind && superblockOptions.has(option))) {
      result.data.push(option);
    }
  }
  return result;
}

/** A later option wins over an earlier one about the same attribute. */
function change(
  set: bigint,
  clear: bigint,
  { set: added, clear: removed }: { readonly set: bigint; readonly clear: bigint },
): [bigint, bigint] {
  return [(set & ~removed) | added, (clear & ~added) | removed];
}

/** Names of all options with a meaning of their own, for `features`. */
export function knownMountOptions(): readonly string[] {
  const attributes = Object.keys(attributeOptions);
  return [
    ...attributes,
    ...attributes.map((name) => `r${name}`),
    ...Object.keys(propagations).flatMap((name) => [name, `r${name}`]),
    ...superblockOptions,
    ...['bind', 'rbind', 'idmap', 'ridmap', 'tmpcopyup', 'copy-symlink', 'dest-nofollow', 'src-nofollow'],
    ...['defaults', 'async', 'rasync', 'nomand', 'rnomand', 'rmand', 'rsync', 'rdirsync', 'remount'],
  ].sort();
}

import { EngineError } from './errors/engine-error.js';

/** Where an image runs; names as in Go's GOOS and GOARCH. @see OCI image-spec, image-index.md */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', ia32: '386', arm: 'arm' };

/** Names that `uname -m` and distributions use, with what images call them. */
const aliases: Readonly<Record<string, Omit<Platform, 'os'>>> = {
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  aarch64: { architecture: 'arm64' },
  i386: { architecture: '386' },
  i686: { architecture: '386' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
};

/** The platform of this process, e.g. `{ os: 'linux', architecture: 'amd64' }`. */
export function hostPlatform(arch: string = process.arch): Platform {
  const architecture = architectures[arch] ?? arch;
  return architecture === 'arm' ? { os: 'linux', architecture, variant: 'v7' } : { os: 'linux', architecture };
}

/** `linux/arm64/v8` */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter((part) => part !== undefined).join('/');
}

/**
 * Parses `linux/arm64/v8`, `linux/amd64` or a bare architecture (`arm64`, `x86_64`), which means Linux.
 * The result is normalised ({@link normalisePlatform}).
 *
 * @throws EngineError `INVALID_OPTION` naming `option`.
 */
export function parsePlatform(text: string, option = 'platform'): Platform {
  const parts = text.toLowerCase().split('/');
  const [os = '', architecture = '', variant] = parts.length === 1 ? ['linux', ...parts] : parts;
  const words = [os, architecture, variant ?? 'none'];
  if (parts.length > 3 || !words.every((word) => /^[a-z0-9._-]{1,64}$/.test(word))) {
    throw new EngineError('INVALID_OPTION', { option, expected: 'os/architecture[/variant]', got: text.slice(0, 200) });
  }
  return normalisePlatform({ os, architecture, ...(variant !== undefined && { variant }) });
}

/** One spelling for each platform: `x86_64` is amd64; arm64/v8 and amd64/v1 are the plain architecture, arm is arm/v7. */
export function normalisePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const given = platform.architecture.toLowerCase();
  const alias = Object.hasOwn(aliases, given) ? aliases[given] : undefined;
  const architecture = alias?.architecture ?? given;
  const variant = (platform.variant ?? alias?.variant)?.toLowerCase().replace(/^(?=\d)/, 'v');
  const plain = plainVariants[architecture];
  if (architecture === 'arm') return { os, architecture, variant: variant ?? 'v7' };
  return variant === undefined || variant === plain ? { os, architecture } : { os, architecture, variant };
}

const plainVariants: Readonly<Record<string, string>> = { amd64: 'v1', arm64: 'v8' };

/**
 * How well what was built for `offered` runs on `wanted`: 0 is exact, higher is an older variant of the same
 * architecture, undefined does not run. A newer variant than wanted never runs; other architectures never do, because
 * it depends on the kernel and the processor whether they would.
 */
export function platformDistance(wanted: Platform, offered: Platform): number | undefined {
  const want = normalisePlatform(wanted);
  const offer = normalisePlatform(offered);
  if (want.os !== offer.os || want.architecture !== offer.architecture) return undefined;
  if (want.variant === offer.variant) return 0;
  const newest = variantNumber(want);
  const built = variantNumber(offer);
  return newest === undefined || built === undefined || built > newest ? undefined : newest - built;
}

/** 7 for arm/v7; the plain architecture counts as its first variant. */
function variantNumber({ architecture, variant }: Platform): number | undefined {
  const match = /^v(\d{1,2})$/.exec(variant ?? plainVariants[architecture] ?? '');
  return match === null ? undefined : Number(match[1]);
}

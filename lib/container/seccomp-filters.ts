import type { Capability } from '../runtime/capabilities.js';
import type { SpecFilter } from '../runtime/container-spec.js';
import type { HostArchitecture } from '../runtime/seccomp/architecture.js';
import { assembleSeccomp } from '../runtime/seccomp/assemble-seccomp.js';
import { defaultSeccompProfile } from '../runtime/seccomp/default-profile.js';
import type { SeccompProfile } from '../runtime/seccomp/profile.js';
import { seccompFlags } from '../runtime/seccomp/seccomp-flags.js';

/** Arguments beyond 2^53 are bigints, which JSON does not have: they are written as texts. */
export function encodeProfile(profile: SeccompProfile): string {
  return JSON.stringify(profile, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

/** Back from {@link encodeProfile}; the form was checked when the container was made. */
function decodeProfile(json: string): SeccompProfile {
  return JSON.parse(json, (key, value: unknown) =>
    typeof value === 'string' && (key === 'value' || key === 'valueTwo') ? BigInt(value) : value,
  ) as SeccompProfile;
}

/**
 * Assembled seccomp filters of one host. The last default one is kept: most containers have the same capabilities, and
 * assembling takes longer than starting a container.
 */
export class SeccompFilters {
  #last: { readonly key: string; readonly filter: SpecFilter } | undefined;

  constructor(private readonly architecture: HostArchitecture) {}

  /** `choice` is `default`, `unconfined`, or a profile as JSON. */
  filterFor(choice: string, capabilities: ReadonlySet<Capability>): SpecFilter | undefined {
    if (choice === 'unconfined') return undefined;
    if (choice !== 'default') return this.#assemble(decodeProfile(choice));
    const key = [...capabilities].sort().join(' ');
    if (this.#last?.key !== key) {
      const profile = defaultSeccompProfile({ capabilities, architecture: this.architecture });
      this.#last = { key, filter: this.#assemble(profile) };
    }
    return this.#last.filter;
  }

  #assemble(profile: SeccompProfile): SpecFilter {
    return { flags: seccompFlags(profile), filter: assembleSeccomp(profile, this.architecture), profile };
  }
}

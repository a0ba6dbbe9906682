import { resolveCapabilities } from '../runtime/capabilities.js';
import { planLabels } from '../runtime/oci/plan-labels.js';
import type { SeccompProfile } from '../runtime/seccomp/profile.js';
import { checkProfile } from './check-options.js';
import { invalidOption } from './invalid-option.js';
import type { IsolationOptions, PrivilegeOptions } from './isolation-options.js';
import { encodeProfile } from './seccomp-filters.js';

/** What a container's processes may do, with everything decided. */
export interface SecurityConfig {
  readonly privileged?: boolean;
  /** Names without `CAP_`. */
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  /** `default`, `unconfined`, or a profile as JSON. */
  readonly seccomp: string;
  /** Instead of the default ones. */
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly appArmorProfile?: string;
  readonly selinuxLabel?: string;
  /** The container may manage cgroups of its own. */
  readonly writableCgroups?: boolean;
}

/** What `securityOpt` says, one field for each kind of text. */
interface SecurityTexts {
  noNewPrivileges?: boolean;
  seccomp?: string;
  systemPathsUnconfined?: boolean;
  writableCgroups?: boolean;
  appArmorProfile?: string;
  label?: { user: string; role: string; type: string; level: string };
}

/** @throws EngineError `INVALID_OPTION`, `UNSUPPORTED_HOST`. */
export function resolveSecurity(options: PrivilegeOptions & Pick<IsolationOptions, 'writableCgroups'>): SecurityConfig {
  const texts = readTexts(options.securityOpt ?? []);
  const privileged = options.privileged ?? false;
  const open = privileged || texts.systemPathsUnconfined === true;
  const maskedPaths = options.maskedPaths ?? (open ? [] : undefined);
  const readonlyPaths = options.readonlyPaths ?? (open ? [] : undefined);
  for (const option of ['maskedPaths', 'readonlyPaths'] as const)
    for (const path of options[option] ?? []) checkPath(path, option);
  const labels = {
    ...(texts.appArmorProfile !== undefined && { appArmorProfile: texts.appArmorProfile }),
    ...(texts.label !== undefined && { selinuxLabel: Object.values(texts.label).join(':') }),
  };
  const { appArmorProfile = '', selinuxLabel = '' } = labels;
  planLabels({ apparmorProfile: appArmorProfile, selinuxLabel }); // tells now that the host has no such thing
  return {
    ...(privileged && { privileged }),
    capabilities: [...resolveCapabilities(privileged ? { capAdd: ['ALL'], capDrop: options.capDrop } : options)],
    noNewPrivileges: options.noNewPrivileges ?? texts.noNewPrivileges ?? false,
    seccomp: seccompOf(options, texts, privileged),
    ...(maskedPaths && { maskedPaths }),
    ...(readonlyPaths && { readonlyPaths }),
    ...labels,
    ...((options.writableCgroups ?? texts.writableCgroups) === true && { writableCgroups: true }),
  };
}

function seccompOf({ seccomp }: PrivilegeOptions, texts: SecurityTexts, privileged: boolean): string {
  if (seccomp === undefined) return texts.seccomp ?? (privileged ? 'unconfined' : 'default');
  if (texts.seccomp !== undefined) throw invalidOption('securityOpt', 'no seccomp beside the option seccomp', seccomp);
  if (typeof seccomp === 'object') return encodeProfile(seccomp);
  if (seccomp === 'default' || seccomp === 'unconfined') return seccomp;
  throw invalidOption('seccomp', 'one of default, unconfined', seccomp);
}

function readTexts(list: readonly string[]): SecurityTexts {
  const texts: SecurityTexts = {};
  for (const text of list) {
    const [key = '', value] = text.split(/[=:](.*)/s);
    const isTruth = value === undefined || /^(?:true|false)$/.test(value);
    if (key === 'no-new-privileges' && isTruth) texts.noNewPrivileges = value !== 'false';
    else if (key === 'writable-cgroups' && isTruth) texts.writableCgroups = value !== 'false';
    else if (key === 'seccomp' && value) texts.seccomp = readSeccomp(value);
    else if (text === 'systempaths=unconfined') texts.systemPathsUnconfined = true;
    else if (key === 'apparmor' && value) texts.appArmorProfile = value === 'unconfined' ? '' : value;
    else if (key === 'label' && value) readLabel(texts, value);
    else throw invalidOption('securityOpt', "texts like 'no-new-privileges' or 'seccomp=unconfined'", text);
  }
  return texts;
}

function readSeccomp(value: string): string {
  if (value === 'unconfined') return value;
  if (value === 'builtin') return 'default';
  try {
    const profile = JSON.parse(value) as SeccompProfile;
    checkProfile(profile, 'securityOpt.seccomp');
    return encodeProfile(profile);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw invalidOption('securityOpt', "seccomp as 'unconfined', 'builtin' or the JSON of a profile", value);
  }
}

/** @see docker run, "Security configuration" */
function readLabel(texts: SecurityTexts, value: string): void {
  if (value === 'disable') return;
  const [, part = '', text = ''] = /^(user|role|type|level):(.+)$/s.exec(value) ?? [];
  if (part === '') throw invalidOption('securityOpt', "label as 'disable' or user:, role:, type:, level:", value);
  texts.label ??= { user: 'system_u', role: 'system_r', type: 'container_t', level: 's0' };
  texts.label[part as 'user'] = text;
}

function checkPath(path: string, option: string): void {
  if (!path.startsWith('/') || path.includes('\0')) throw invalidOption(option, 'absolute paths', path);
}

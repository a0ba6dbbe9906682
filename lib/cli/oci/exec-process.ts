import type { OciCapabilities, OciProcess } from '../../runtime/oci/oci-process.js';
import type { ExecOptions } from './exec-options.js';
import { UsageError } from './usage-error.js';

/** The process of `exec`: the container's own, with what the options change. */
export function execProcess(options: ExecOptions, base: OciProcess, args: readonly string[]): OciProcess {
  const { consoleSize: _size, ...inherited } = base;
  const groups = options['additional-gids'].map((text) => parseId(text, 'group'));
  const user = { ...base.user, ...(options.user === undefined ? {} : parseUser(options.user)) };
  return {
    ...inherited,
    args,
    terminal: options.tty,
    cwd: options.cwd ?? base.cwd,
    env: [...withoutKeys(base.env ?? [], options.env), ...options.env],
    user: { ...user, ...(groups.length > 0 && { additionalGids: [...(base.user?.additionalGids ?? []), ...groups] }) },
    noNewPrivileges: base.noNewPrivileges === true || options['no-new-privs'],
    ...(options.apparmor !== undefined && { apparmorProfile: options.apparmor }),
    ...(options['process-label'] !== undefined && { selinuxLabel: options['process-label'] }),
    ...(options.cap.length > 0 && { capabilities: withCapabilities(base, options.cap) }),
  };
}

function withoutKeys(environment: readonly string[], replaced: readonly string[]): readonly string[] {
  const keys = new Set(replaced.map((entry) => entry.split('=', 1)[0]));
  return environment.filter((entry) => !keys.has(entry.split('=', 1)[0]));
}

function withCapabilities({ capabilities = {} }: OciProcess, added: readonly string[]): OciCapabilities {
  const extend = (set: readonly string[] = []): readonly string[] => [...new Set([...set, ...added])];
  return {
    ...capabilities,
    bounding: extend(capabilities.bounding),
    effective: extend(capabilities.effective),
    permitted: extend(capabilities.permitted),
  };
}

function parseUser(text: string): { uid: number; gid?: number } {
  const [uid = '', gid, ...more] = text.split(':');
  if (more.length > 0) throw new UsageError(`user '${text}': expected UID[:GID]`);
  return { uid: parseId(uid, 'user'), ...(gid !== undefined && { gid: parseId(gid, 'group') }) };
}

/** Plain decimal only: "0x1", " 1", "+1", "01" and "" are refused, never read as another user (CVE-2026-30892). */
function parseId(text: string, what: string): number {
  if (!/^(?:0|[1-9]\d{0,9})$/.test(text) || Number(text) >= 0xffff_ffff)
    throw new UsageError(`${what} '${text.slice(0, 200)}': expected a number from 0 to 4294967294`);
  return Number(text);
}

import type { PlanOperation } from '../launch-plan.js';
import type { NamespaceKind } from '../namespace-kind.js';
import { invalidConfig } from './invalid-config.js';

/** Sysctls of the ipc namespace beside `fs.mqueue.*`. @see namespaces(7) */
const ipcNames = new Set([
  ...['kernel.msgmax', 'kernel.msgmnb', 'kernel.msgmni', 'kernel.sem', 'kernel.shmall', 'kernel.shmmax'],
  ...['kernel.shmmni', 'kernel.shm_rmid_forced', 'kernel.msg_next_id', 'kernel.sem_next_id', 'kernel.shm_next_id'],
]);

/**
 * Writes of sysctls, which the child makes in its namespaces through the host's procfs, before the pivot: nothing that an
 * image brings can be in the way.
 *
 * @throws EngineError `INVALID_OCI_CONFIG` for one that would change the host.
 */
export function planSysctls(
  sysctls: Readonly<Record<string, string>>,
  own: ReadonlySet<NamespaceKind>,
): readonly PlanOperation[] {
  return Object.entries(sysctls).map(([key, data]) => {
    const name = canonicalName(key);
    const reason = refusal(name, own);
    if (reason !== undefined) return invalidConfig('config.json.linux.sysctl', `sysctl '${key}' ${reason}`);
    return { op: 'write-file', path: `/proc/sys/${fileName(name)}`, data };
  });
}

/** `net/ipv4/conf/eth0.1/arp` and `net.ipv4.conf.eth0/1.arp` mean the same. @see sysctl(8) */
function canonicalName(key: string): string {
  const first = /[./]/.exec(key)?.[0];
  return first === '/' ? key.replace(/[./]/g, (each) => (each === '/' ? '.' : '/')) : key;
}

const fileName = (name: string): string => name.replace(/[./]/g, (each) => (each === '.' ? '/' : '.'));

function refusal(name: string, own: ReadonlySet<NamespaceKind>): string | undefined {
  if (!/^[a-z0-9_]+(?:\.[A-Za-z0-9_/@:-]+)+$/.test(name) || name.includes('//') || name.includes('/.'))
    return 'has a malformed name';
  const needs = (kind: NamespaceKind): string | undefined =>
    own.has(kind) ? undefined : `needs a ${kind === 'net' ? 'network' : kind} namespace`;
  if (ipcNames.has(name) || name.startsWith('fs.mqueue.')) return needs('ipc');
  if (name.startsWith('net.')) return needs('net');
  if (name === 'kernel.domainname') return needs('uts');
  if (name === 'kernel.hostname') return 'is set by the property hostname';
  if (name.startsWith('user.')) return needs('user');
  return 'belongs to no namespace';
}

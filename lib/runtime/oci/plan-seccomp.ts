import type { PlanOperation } from '../launch-plan.js';
import type { HostArchitecture } from '../seccomp/architecture.js';
import { assembleSeccomp } from '../seccomp/assemble-seccomp.js';
import type { SeccompProfile } from '../seccomp/profile.js';
import { seccompFlags } from '../seccomp/seccomp-flags.js';
import { syscallTable } from '../seccomp/syscall-table.js';
import { invalidConfig } from './invalid-config.js';
import type { OciSeccomp } from './oci-linux.js';
import type { OciState } from './oci-state.js';
import type { Slots } from './slots.js';

export interface SeccompPlan {
  readonly prepare: readonly PlanOperation[];
  readonly install: readonly PlanOperation[];
}

/** Of the format that a listener gets. @see OCI runtime-spec, config-linux.md, "The Container Process State" */
const processStateVersion = '0.2.0';
const FLAG_TSYNC = 1;

/** A filter, with a listener where the configuration names one. `strict` refuses names that no table knows. */
export function planSeccomp(
  seccomp: OciSeccomp,
  state: Omit<OciState, 'pid' | 'status'>,
  host: HostArchitecture,
  slots: Slots,
  strict: boolean,
): SeccompPlan {
  // The decoder has checked the form; names of actions and operators are checked while assembling.
  const profile = seccomp as SeccompProfile;
  if (strict) checkNames(profile, host);
  const filter = assembleSeccomp(profile, host);
  const flags = seccompFlags(profile);
  if (seccomp.listenerPath === undefined || seccomp.listenerPath === '') {
    if (notifies(seccomp)) invalidConfig('config.json.linux.seccomp', 'SCMP_ACT_NOTIFY needs a listenerPath');
    return { prepare: [], install: [{ op: 'seccomp', flags, filter }] };
  }
  const slot = slots.target();
  const head = { ociVersion: processStateVersion, fds: ['seccompFd'] };
  const rest = {
    ...(seccomp.listenerMetadata !== undefined && { metadata: seccomp.listenerMetadata }),
    state: { ociVersion: state.ociVersion, id: state.id, status: 'creating', bundle: state.bundle },
  };
  return {
    prepare: [{ op: 'connect', slot, path: seccomp.listenerPath }],
    install: [
      {
        op: 'seccomp-notify',
        flags: flags & ~FLAG_TSYNC, // the child has one thread, and the kernel takes only one of the two
        filter,
        slot,
        before: `${JSON.stringify(head).slice(0, -1)},"pid":`,
        after: `,${JSON.stringify(rest).slice(1)}`,
      },
    ],
  };
}

const notifies = (seccomp: OciSeccomp): boolean =>
  seccomp.defaultAction === 'SCMP_ACT_NOTIFY' ||
  (seccomp.syscalls ?? []).some(({ action }) => action === 'SCMP_ACT_NOTIFY');

function checkNames(profile: SeccompProfile, host: HostArchitecture): void {
  const { numbers } = syscallTable(host);
  for (const name of (profile.syscalls ?? []).flatMap((rule) => rule.names))
    if (!numbers.has(name)) invalidConfig('config.json.linux.seccomp', `unknown system call '${name}'`);
}

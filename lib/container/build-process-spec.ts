import { type Capability, capabilityMask } from '../runtime/capabilities.js';
import type { ProcessSpec } from '../runtime/container-spec.js';
import { planLabels } from '../runtime/oci/plan-labels.js';
import type { ContainerConfig } from './container-config.js';
import type { HostFacts } from './container-services.js';

/** -1 in options is the kernel's "no limit". @see getrlimit(2), RLIM_INFINITY */
const UNLIMITED = 2n ** 64n - 1n;

/** The container's first process. `enforcesDevices` false takes away the right to make device nodes. */
export function buildProcessSpec(config: ContainerConfig, host: HostFacts, enforcesDevices: boolean): ProcessSpec {
  const wanted = config.capabilities as readonly Capability[]; // checked when the container was made
  const granted = wanted.filter((each) => enforcesDevices || each !== 'MKNOD');
  const mask = capabilityMask(granted) & host.availableCapabilities;
  return {
    arguments: config.arguments,
    environment: config.environment,
    workingDirectory: config.workingDir,
    user: { kind: 'named', user: config.user, groups: config.groups },
    // Inheritable and ambient stay empty: nothing is handed on to programs that did not ask (CVE-2022-29162).
    capabilities: { bounding: mask, effective: mask, inheritable: 0n, ambient: 0n },
    noNewPrivileges: config.noNewPrivileges,
    seccomp: host.seccomp.filterFor(config.seccomp, new Set(granted)),
    resourceLimits: config.ulimits.map(({ resource, soft, hard }) => {
      return { resource, soft: limitValue(soft), hard: limitValue(hard) };
    }),
    oomScoreAdjust: config.oomScoreAdj,
    terminal: config.stdio.tty,
    labels: planLabels({ apparmorProfile: config.appArmorProfile ?? '', selinuxLabel: config.selinuxLabel ?? '' }),
  };
}

const limitValue = (value: number): bigint => (value === -1 ? UNLIMITED : BigInt(value));

import { writeSync } from 'node:fs';
import { allCapabilities } from '../../runtime/capabilities.js';
import { knownMountOptions } from '../../runtime/oci/mount-options.js';
import { supportedOciVersion } from '../../runtime/oci/oci-state.js';
import { hasAppArmor, hasSelinux } from '../../runtime/oci/plan-labels.js';
import { defineCommand } from './define-command.js';

/** Prints what the runtime can do. @see OCI runtime-spec, features.md */
export const command = defineCommand({
  usage: 'features',
  options: {},
  operands: [0, 0],
  run: () => {
    writeSync(1, `${JSON.stringify(features(), undefined, 2)}\n`);
    return 0;
  },
});

const seccompActions = ['ALLOW', 'ERRNO', 'KILL', 'KILL_PROCESS', 'KILL_THREAD', 'LOG', 'NOTIFY', 'TRACE', 'TRAP'];
const seccompOperators = ['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'];
const seccompArchitectures = ['AARCH64', 'ARM', 'X32', 'X86', 'X86_64'];
const seccompFlags = ['TSYNC', 'LOG', 'SPEC_ALLOW', 'WAIT_KILLABLE_RECV'].map((each) => `SECCOMP_FILTER_FLAG_${each}`);

function features(): object {
  return {
    ociVersionMin: '1.0.0',
    ociVersionMax: supportedOciVersion,
    hooks: ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'],
    mountOptions: knownMountOptions(),
    linux: {
      namespaces: ['cgroup', 'ipc', 'mount', 'network', 'pid', 'time', 'user', 'uts'],
      capabilities: allCapabilities.map((each) => `CAP_${each}`),
      cgroup: { v1: true, v2: true, systemd: false, systemdUser: false, rdma: true },
      seccomp: {
        enabled: true,
        actions: seccompActions.map((each) => `SCMP_ACT_${each}`),
        operators: seccompOperators.map((each) => `SCMP_CMP_${each}`),
        archs: seccompArchitectures.map((each) => `SCMP_ARCH_${each}`),
        knownFlags: seccompFlags,
        supportedFlags: seccompFlags,
      },
      apparmor: { enabled: hasAppArmor() },
      selinux: { enabled: hasSelinux() },
      intelRdt: { enabled: false },
      mountExtensions: { idmap: { enabled: true } },
      netDevices: { enabled: false },
    },
    potentiallyUnsafeConfigAnnotations: ['run.oci.'],
  };
}

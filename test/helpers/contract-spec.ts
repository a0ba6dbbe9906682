import { ownCapabilities } from '#lib/engine/preflight.js';
import { type ContainerSpec, emptyPart } from '#lib/runtime/container-spec.js';
import type { CommandOptions } from '#lib/testing/contracts/launcher-under-test.js';

/** The least that makes a container: new mount and PID namespaces, the directory as root, /proc and /dev. */
export function contractSpec(
  rootDirectory: string,
  rootTarget: string,
  words: readonly string[],
  { environment = [], terminal }: CommandOptions,
): ContainerSpec {
  const node = { op: 'node', kind: 'char', mode: 0o666, major: 1, uid: 0, gid: 0 } as const;
  const mount = { op: 'mount', attributes: [], noLinks: true } as const;
  const all = ownCapabilities();
  return {
    kind: 'container',
    id: 'c0'.repeat(32),
    root: { type: 'bind', source: rootDirectory },
    readonlyRoot: false,
    rootTarget,
    namespaces: ['mount', 'pid'],
    hostname: '',
    mounts: [
      { ...mount, type: 'proc', target: '/proc', options: ['source=proc'] },
      { ...mount, type: 'tmpfs', target: '/dev', options: ['source=dev', 'mode=755'] },
      { ...mount, type: 'devpts', target: '/dev/pts', options: ['newinstance', 'ptmxmode=0666', 'mode=0620'] },
    ],
    cgroupMounts: [],
    nodes: [
      { ...node, path: '/dev/null', minor: 3 },
      { ...node, path: '/dev/zero', minor: 5 },
    ],
    maskedPaths: [],
    readonlyPaths: [],
    files: [],
    cgroup: emptyPart,
    network: emptyPart,
    process: {
      arguments: words,
      environment: ['PATH=/bin', ...environment],
      workingDirectory: '/',
      user: { kind: 'ids', uid: 0, gid: 0, groups: [] },
      capabilities: { bounding: all, effective: all, inheritable: 0n, ambient: 0n },
      noNewPrivileges: false,
      seccomp: undefined,
      resourceLimits: [],
      oomScoreAdjust: undefined,
      terminal,
    },
    removeAtEnd: [],
  };
}

// Writes the seeds of native/test/corpus/plan: encoded plans of the shapes that the library makes, one file each.
//
//   npm run build && node native/tools/make-plan-corpus.mjs
//
// Files whose names begin with `found-` come from fuzzing and are left alone.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endpointPlan } from '#lib/network/bridge/endpoint-plan.js';
import { buildJoinPlan, buildLaunchPlan } from '#lib/runtime/build-launch-plan.js';
import { resolveCapabilities } from '#lib/runtime/capabilities.js';
import { createCgroupManager } from '#lib/runtime/cgroup/create-cgroup-manager.js';
import { emptyPart } from '#lib/runtime/container-spec.js';
import { defaultDevices, maskedPaths, readonlyPaths } from '#lib/runtime/default-security.js';
import { encodePlan } from '#lib/runtime/encode-plan.js';
import { seccompArchitecture } from '#lib/runtime/seccomp/architecture.js';
import { assembleSeccomp } from '#lib/runtime/seccomp/assemble-seccomp.js';
import { defaultSeccompProfile } from '#lib/runtime/seccomp/default-profile.js';

const directory = fileURLToPath(new URL('../test/corpus/plan/', import.meta.url));
const architecture = seccompArchitecture('x64');
const id = '0123456789abcdef'.repeat(4);

const process = {
  arguments: ['sh', '-c', 'echo "$A"'],
  environment: ['PATH=/usr/bin:/bin', 'A=1', 'EMPTY='],
  workingDirectory: '/work',
  user: { kind: 'named', user: 'www:staff', groups: ['tty', '20'] },
  capabilities: { bounding: 0xa80425fbn, effective: 0xa80425fbn, inheritable: 0n, ambient: 0n },
  noNewPrivileges: false,
  seccomp: undefined,
  resourceLimits: [{ resource: 7, soft: 1024n, hard: 2n ** 64n - 1n }],
  oomScoreAdjust: -5,
  terminal: undefined,
};

const cgroupHosts = {
  v1: {
    version: 'v1',
    hierarchies: Object.fromEntries(
      ['memory', 'pids', 'devices', 'freezer', 'cpu', 'cpuacct', 'cpuset'].map((each) => [
        each,
        `/sys/fs/cgroup/${each}`,
      ]),
    ),
    swap: true,
    cpuset: { cpus: '0-1', mems: '0' },
    hybrid: false,
    blockWeightFiles: [],
  },
  v2: {
    version: 'v2',
    root: '/sys/fs/cgroup',
    controllers: ['memory', 'pids', 'cpu', 'cpuset', 'io'],
    enabled: [],
    swap: true,
    deviceFilter: true,
    blockWeightFiles: [],
  },
};

function cgroupPart(version) {
  const resources = { memory: 64 << 20, cpus: 1.5, cpuShares: 512, pidsLimit: 100, cpusetCpus: '0' };
  const { prepare, cleanup } = createCgroupManager(cgroupHosts[version]).plan({ id, resources });
  return { ...emptyPart, prepare, cleanup };
}

const network = endpointPlan({
  table: 'tscontainer-0',
  bridgeIndex: 7,
  mtu: 1500,
  vethName: 'tscv0123456789',
  address: { address: '10.88.0.2', prefixLength: 16, gateway: '10.88.0.1', macAddress: '02:42:0a:58:00:02' },
  ports: [
    { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8080, containerPort: 80 },
    { protocol: 'udp', hostAddress: '127.0.0.1', hostPort: 5353, containerPort: 53 },
  ],
  ipv6: true,
});

const spec = {
  root: { type: 'overlay', lower: ['/l/2', '/l/1'], upper: '/c/upper', work: '/c/work', volatile: true },
  readonlyRoot: true,
  rootTarget: '/run/root',
  namespaces: ['mount', 'pid', 'ipc', 'uts', 'cgroup', 'net'],
  hostname: 'box',
  files: [{ path: '/c/hosts', mode: 0o644, content: '127.0.0.1 localhost\n' }],
  mounts: [
    { op: 'mount', type: 'proc', target: '/proc', options: ['source=proc'], attributes: ['nosuid'], noLinks: true },
    { op: 'mount', type: 'tmpfs', target: '/dev', options: ['mode=755', 'size=65536k'], attributes: [], noLinks: true },
    { op: 'bind', source: '/c/hosts', target: '/etc/hosts', recursive: false, attributes: ['ro'], kind: 'file' },
  ],
  cgroupMounts: [
    { op: 'mount', type: 'cgroup2', target: '/sys/fs/cgroup', options: [], attributes: [], noLinks: true },
  ],
  nodes: [
    ...defaultDevices.map(({ path, type, major, minor, mode }) => {
      return { op: 'node', path, kind: type, mode, major, minor, uid: 0, gid: 0 };
    }),
    { op: 'symlink', path: '/dev/fd', destination: '/proc/self/fd' },
  ],
  maskedPaths: maskedPaths([0, 1]),
  readonlyPaths,
  cgroup: cgroupPart('v1'),
  network,
  process,
  removeAtEnd: [{ path: '/c', trash: '/t' }, { path: '/run/c' }],
};

const filtered = {
  ...process,
  noNewPrivileges: true,
  user: { kind: 'ids', uid: 1000, gid: 1000, groups: [5, 20] },
  terminal: { columns: 80, rows: 24 },
  seccomp: {
    flags: 0,
    filter: assembleSeccomp(defaultSeccompProfile({ capabilities: resolveCapabilities(), architecture }), architecture),
  },
};

/** What no plan of the library has yet, or only under rare options. */
const rare = {
  namespaces: ['user', 'time'],
  prepare: [
    { op: 'open-process', slot: 7, pid: 1, startTicks: 2n ** 63n },
    { op: 'join-namespace', slot: 7, kinds: ['pid', 'net'] },
  ],
  parent: [
    { op: 'write-id-map', kind: 'uid', map: '0 1000 1\n1 100000 65535\n' },
    { op: 'write-id-map', kind: 'setgroups', map: 'deny' },
  ],
  child: [
    { op: 'bind-root', source: '/srv', target: '/run/root' },
    { op: 'use-root', path: '/' },
    { op: 'domainname', name: 'example' },
    { op: 'identity', uid: 0, gid: 0, groups: [] },
    { op: 'execute', arguments: [], environment: [] },
  ],
  cleanup: [],
};

const seeds = {
  'container-v1-bridge': buildLaunchPlan(spec),
  'container-v2-seccomp': buildLaunchPlan({
    ...spec,
    cgroup: cgroupPart('v2'),
    network: emptyPart,
    process: filtered,
    removeAtEnd: [],
  }),
  join: buildJoinPlan({
    target: { pid: 4711, startTicks: 123456789n },
    namespaces: ['mount', 'pid', 'net'],
    cgroup: { ...emptyPart, prepare: [{ op: 'join-cgroup', path: '/sys/fs/cgroup/tscontainer/x' }] },
    process,
  }),
  rare,
  empty: { namespaces: [], prepare: [], parent: [], child: [], cleanup: [] },
};

mkdirSync(directory, { recursive: true });
for (const name of readdirSync(directory)) if (!name.startsWith('found-')) rmSync(join(directory, name));
for (const [name, plan] of Object.entries(seeds)) writeFileSync(join(directory, `${name}.bin`), encodePlan(plan));

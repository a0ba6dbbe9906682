import type { OciConfig } from '#lib/runtime/oci/oci-config.js';

/** A configuration with every namespace but user and time, proc, a tmpfs on /dev and nothing else. */
export function sampleOciConfig(change: Partial<OciConfig> = {}): OciConfig {
  return {
    ociVersion: '1.2.0',
    root: { path: 'rootfs', readonly: true },
    hostname: 'box',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755'] },
    ],
    process: { args: ['sh'], cwd: '/', env: ['PATH=/bin'], noNewPrivileges: true },
    linux: {
      namespaces: [
        { type: 'mount' },
        { type: 'pid' },
        { type: 'ipc' },
        { type: 'uts' },
        { type: 'network' },
        { type: 'cgroup' },
      ],
    },
    ...change,
  };
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultCapabilities } from '../../runtime/capabilities.js';
import { defaultMounts, defaultPath, maskedPaths, readonlyPaths } from '../../runtime/default-security.js';
import { supportedOciVersion } from '../../runtime/oci/oci-state.js';
import { defineCommand } from './define-command.js';

/** Writes a configuration to begin with. An existing one is left alone. */
export const command = defineCommand({
  usage: 'spec',
  options: {
    bundle: { kind: 'text', short: 'b', help: 'directory of the bundle; default: the working directory' },
    rootless: { kind: 'flag', help: 'for a caller that is not root' },
  },
  operands: [0, 0],
  run: (_context, { bundle = '.', rootless }) => {
    writeFileSync(join(bundle, 'config.json'), `${JSON.stringify(specification(rootless), undefined, 2)}\n`, {
      flag: 'wx',
    });
    return 0;
  },
});

function specification(rootless: boolean): object {
  const capabilities = [...defaultCapabilities].sort().map((each) => `CAP_${each}`);
  const namespaces = ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup', ...(rootless ? ['user'] : [])];
  return {
    ociVersion: supportedOciVersion,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: [`PATH=${defaultPath}`, 'TERM=xterm'],
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'tscontainer',
    mounts: defaultMounts
      .filter(({ type }) => !(rootless && type === 'cgroup'))
      .map(({ target, type, source, flags, data }) => ({
        destination: target,
        type,
        source,
        options: [...flags, ...data.split(',').filter((each) => each !== '' && !(rootless && each === 'gid=5'))],
      })),
    linux: {
      namespaces: namespaces.map((type) => ({ type })),
      ...(rootless && {
        uidMappings: [{ containerID: 0, hostID: process.geteuid?.() ?? 0, size: 1 }],
        gidMappings: [{ containerID: 0, hostID: process.getegid?.() ?? 0, size: 1 }],
      }),
      maskedPaths: maskedPaths([]),
      readonlyPaths,
    },
  };
}

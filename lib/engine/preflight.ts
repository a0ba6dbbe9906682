import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { EngineError } from '../core/errors/engine-error.js';
import { capabilityMask } from '../runtime/capabilities.js';

const OLDEST_NODE = [20, 19] as const;
/** mount_setattr(2); everything else that is needed is older. */
const OLDEST_KERNEL = [5, 12] as const;

/**
 * Refuses hosts on which no container could start, before anything is touched.
 *
 * @throws EngineError `UNSUPPORTED_HOST` saying what is missing and what to do.
 */
export function checkRuntime(platform: string, architecture: string, nodeVersion: string): void {
  if (platform !== 'linux') throw unsupported(`Linux (this is ${platform})`, 'run it on Linux, or in a Linux VM');
  if (!['x64', 'arm64'].includes(architecture)) {
    throw unsupported(`a supported processor (this is ${architecture})`, 'x64 and arm64 are supported');
  }
  if (isOlder(nodeVersion, OLDEST_NODE)) {
    throw unsupported(`Node.js ${OLDEST_NODE.join('.')} (this is ${nodeVersion})`, 'install a newer Node.js');
  }
}

/** What this process may do. `available` is the mask of its capabilities. @see capabilities(7) */
export function checkPrivileges(userId: number, available: bigint): void {
  if (userId !== 0) throw unsupported(`the rights of root (user id is ${userId})`, 'run this program as root');
  const needed = capabilityMask(['SYS_ADMIN', 'SYS_CHROOT', 'SETUID', 'SETGID', 'SETPCAP', 'CHOWN', 'MKNOD', 'KILL']);
  if ((available & needed) !== needed) {
    throw unsupported(
      'capabilities that starting a container takes, CAP_SYS_ADMIN among them',
      'run the surrounding container privileged, or with the capabilities added',
    );
  }
}

export function checkKernel(version: string = release()): void {
  if (isOlder(version, OLDEST_KERNEL)) {
    throw unsupported(`Linux ${OLDEST_KERNEL.join('.')} (this is ${version})`, 'boot a newer kernel');
  }
}

/** The effective capabilities of this process. */
export function ownCapabilities(): bigint {
  const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return line === undefined ? 0n : BigInt(`0x${line}`);
}

function isOlder(version: string, oldest: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = version
    .replace(/^v/, '')
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  return major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
}

function unsupported(missing: string, hint: string): EngineError {
  return new EngineError('UNSUPPORTED_HOST', { missing, hint });
}

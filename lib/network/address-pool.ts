import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../core/errors/engine-error.js';
import { hasErrno } from '../util/errno.js';
import { broadcastOf, formatIpv4, formatSubnet, networkOf, parseIpv4, type Subnet } from './ipv4.js';

/** An address and who has it. */
export interface Lease {
  readonly address: string;
  readonly owner: string;
}

/**
 * The IPv4 addresses of one network, shared by any number of processes.
 *
 * A lease is a symbolic link `leases/ADDRESS` whose target is the owner: making it is atomic and exclusive, so the pool
 * needs no lock. Addresses are given out in turn, so one that has just been released is not used again at once. The
 * first usable address is the gateway's; network and broadcast address are never given out.
 *
 * The pool is closed by removing its directory, which only works while it is empty; see {@link AddressPool.close}.
 */
export interface AddressPool {
  /** The first usable address. */
  readonly gateway: string;
  /** Makes the pool usable; an open pool is fine. */
  open(): void;
  /** Closes the pool if no address is leased; false if one is. */
  close(): boolean;
  /** Leases an address; undefined when the pool is closed. @throws EngineError `ADDRESS_POOL_EXHAUSTED`. */
  lease(owner: string): string | undefined;
  /** Gives an address back; one that belongs to somebody else, or to nobody, is left alone. */
  release(lease: Lease): void;
  /** Every lease; none when the pool is closed. */
  leases(): Lease[];
}

/** The pool whose state is in `directory`, which must exist. `network` is for error messages. */
export function createAddressPool(directory: string, subnet: Subnet, network: string): AddressPool {
  const links = join(directory, 'leases');
  const first = networkOf(subnet) + 2;
  const last = broadcastOf(subnet) - 1;

  function lease(owner: string): string | undefined {
    for (let start = nextCandidate(); ; ) {
      const taken = tryLease(start, owner);
      if (taken === 'leased') return settled(start);
      if (taken === 'closed') return undefined;
      const free = firstFree(start);
      if (free === undefined) {
        throw new EngineError('ADDRESS_POOL_EXHAUSTED', { network, subnet: formatSubnet(subnet) });
      }
      start = free;
    }
  }

  function settled(address: number): string {
    const text = formatIpv4(address);
    // Concurrent writers may lose each other's value: reuse then comes a little earlier, never twice at once.
    overwrite(join(directory, 'last-lease'), text.padEnd('255.255.255.255'.length));
    return text;
  }

  function nextCandidate(): number {
    const previous = readPrevious(join(directory, 'last-lease'));
    return previous === undefined || previous < first || previous >= last ? first : previous + 1;
  }

  function firstFree(start: number): number | undefined {
    const used = new Set(leases().map(({ address }) => address));
    for (let step = 0; step <= last - first; step += 1) {
      const candidate = first + ((start - first + step) % (last - first + 1));
      if (!used.has(formatIpv4(candidate))) return candidate;
    }
    return undefined;
  }

  function tryLease(address: number, owner: string): 'leased' | 'taken' | 'closed' {
    if (address > last) return 'taken';
    try {
      symlinkSync(owner, join(links, formatIpv4(address)));
      return 'leased';
    } catch (error) {
      if (hasErrno(error, 'EEXIST')) return 'taken';
      if (hasErrno(error, 'ENOENT')) return 'closed';
      throw error;
    }
  }

  function leases(): Lease[] {
    return namesIn(links).flatMap((address) => {
      const owner = linkTarget(join(links, address));
      return owner === undefined ? [] : [{ address, owner }];
    });
  }

  return {
    gateway: formatIpv4(networkOf(subnet) + 1),
    open: () => void mkdirSync(links, { recursive: true, mode: 0o700 }),
    close: () => removeEmpty(links),
    lease,
    release: ({ address, owner }) => {
      const path = join(links, address);
      if (linkTarget(path) === owner) rmSync(path, { force: true });
    },
    leases,
  };
}

/** Without truncating: file systems flush a file that was truncated and written again, which takes milliseconds. */
function overwrite(path: string, text: string): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    writeSync(fd, text, 0);
  } finally {
    closeSync(fd);
  }
}

function readPrevious(path: string): number | undefined {
  try {
    return parseIpv4(readFileSync(path, 'utf8').trim());
  } catch (error) {
    // A crash while it was written leaves it empty; it is a hint only, so the first address is as good.
    if (hasErrno(error, 'ENOENT') || EngineError.is(error, 'INVALID_OPTION')) return undefined;
    throw error;
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function removeEmpty(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return true;
    if (hasErrno(error, 'ENOTEMPTY')) return false;
    throw error;
  }
}

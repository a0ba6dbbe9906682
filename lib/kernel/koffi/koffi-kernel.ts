import type { Kernel } from '../kernel.js';
import { systemCallError } from '../system-call-error.js';
import { type Libc, loadLibc } from './libc.js';
import { exchangeNetlinkSlowly, NetlinkExchange } from './netlink-exchange.js';
import { probePort } from './probe-port.js';

const O_CLOEXEC = 0o2000000;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_SEQPACKET = 5;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
const EPIPE = 32;
const ECONNRESET = 104;
const CMSG_HEAD_BYTES = 16;
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;
const EINTR = 4;
const ENOENT = 2;
const ESRCH = 3;
const EWOULDBLOCK = 11;
const EINVAL = 22;
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const MFD_EXEC = 0x10;
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE */
const ALL_SEALS = 0xf;
const STATFS_BYTES = 256;

/** The kernel through libc, bound by koffi at the first construction. */
export class KoffiKernel implements Kernel {
  readonly #libc: Libc;
  readonly #netlink: NetlinkExchange;

  constructor() {
    this.#libc = loadLibc();
    this.#netlink = new NetlinkExchange(this.#libc);
  }

  pipe(): { readFd: number; writeFd: number } {
    const fds = new Int32Array(2);
    this.#check(this.#libc.pipe2(fds, O_CLOEXEC), 'pipe2', '');
    return { readFd: fds[0] ?? -1, writeFd: fds[1] ?? -1 };
  }

  socketPair(type: 'stream' | 'packets'): readonly [number, number] {
    const fds = new Int32Array(2);
    const kind = (type === 'stream' ? SOCK_STREAM : SOCK_SEQPACKET) | O_CLOEXEC;
    this.#check(this.#libc.socketpair(AF_UNIX, kind, 0, fds), 'socketpair', '');
    return [fds[0] ?? -1, fds[1] ?? -1];
  }

  sendDescriptors(fd: number, descriptors: readonly number[]): boolean {
    const message = { data: Uint8Array.of(0), control: descriptorMessage(descriptors) };
    if (this.#libc.sendmsg(fd, message, MSG_NOSIGNAL) >= 0) return true;
    const errno = this.#libc.errno();
    if (errno === EPIPE || errno === ECONNRESET) return false;
    throw systemCallError('sendmsg', errno, 'descriptors');
  }

  close(fd: number): void {
    this.#check(this.#libc.close(fd), 'close', String(fd));
  }

  tryLock(fd: number, mode: 'shared' | 'exclusive'): boolean {
    const operation = (mode === 'shared' ? LOCK_SH : LOCK_EX) | LOCK_NB;
    while (this.#libc.flock(fd, operation) < 0) {
      const errno = this.#libc.errno();
      if (errno === EWOULDBLOCK) return false;
      if (errno !== EINTR) throw systemCallError('flock', errno, String(fd));
    }
    return true;
  }

  unlock(fd: number): void {
    this.#check(this.#libc.flock(fd, LOCK_UN), 'flock', String(fd));
  }

  openProcess(pid: number): number | undefined {
    const pidfd = this.#libc.pidfd_open(pid, 0);
    if (pidfd >= 0) return pidfd;
    const errno = this.#libc.errno();
    // The last two: a number that is no process but a thread, as kernels before and since 6.9 say it.
    if (errno === ESRCH || errno === EINVAL || errno === ENOENT) return undefined;
    throw systemCallError('pidfd_open', errno, String(pid));
  }

  signalProcess(pidfd: number, signal: number): boolean {
    if (this.#libc.pidfd_send_signal(pidfd, signal, null, 0) >= 0) return true;
    const errno = this.#libc.errno();
    if (errno === ESRCH) return false;
    throw systemCallError('pidfd_send_signal', errno, String(signal));
  }

  netlink(protocol: 'route' | 'netfilter', request: Uint8Array): Uint8Array[] {
    return this.#netlink.request(protocol, request);
  }

  netlinkSlow(protocol: 'route' | 'netfilter', request: Uint8Array): Promise<Uint8Array[]> {
    return exchangeNetlinkSlowly(this.#libc, protocol, request);
  }

  probePort(protocol: 'tcp' | 'udp', address: string, port: number): number | undefined {
    return probePort(this.#libc, protocol, address, port);
  }

  fileSystemType(path: string): number {
    const buffer = new Uint8Array(STATFS_BYTES);
    this.#check(this.#libc.statfs(path, buffer), 'statfs', path);
    return new DataView(buffer.buffer).getUint32(0, true);
  }

  dispose(): void {
    this.#netlink.close();
  }

  effectiveUserId(): number {
    return this.#libc.geteuid();
  }

  sealedCopy(name: string, content: Uint8Array): number {
    const fd = this.#createMemoryFile(name);
    try {
      this.#write(fd, content);
      this.#check(this.#libc.fcntl(fd, F_ADD_SEALS, ALL_SEALS), 'fcntl', `seal ${name}`);
      return fd;
    } catch (error) {
      this.#libc.close(fd);
      throw error;
    }
  }

  /** Kernels before 6.3 do not know MFD_EXEC and need not be asked for the right to execute. */
  #createMemoryFile(name: string): number {
    const fd = this.#libc.memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    if (fd >= 0 || this.#libc.errno() !== EINVAL) return this.#check(fd, 'memfd_create', name);
    return this.#check(this.#libc.memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), 'memfd_create', name);
  }

  #write(fd: number, content: Uint8Array): void {
    for (let offset = 0; offset < content.length; ) {
      const rest = content.subarray(offset);
      offset += this.#check(this.#libc.write(fd, rest, rest.length), 'write', 'memory file');
    }
  }

  #check(result: number, syscall: string, operand: string): number {
    if (result < 0) throw systemCallError(syscall, this.#libc.errno(), operand);
    return result;
  }
}

/** struct cmsghdr and its payload on 64-bit machines. @see cmsg(3) */
function descriptorMessage(descriptors: readonly number[]): Uint8Array {
  const size = CMSG_HEAD_BYTES + descriptors.length * 4;
  const bytes = new Uint8Array((size + 7) & ~7);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(size), true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  for (const [index, fd] of descriptors.entries()) view.setInt32(CMSG_HEAD_BYTES + index * 4, fd, true);
  return bytes;
}

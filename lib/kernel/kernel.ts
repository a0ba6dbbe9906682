/**
 * The port to the Linux kernel: synchronous leaf calls that Node does not offer. None of them blocks longer than a
 * system call on local memory takes; none changes the state of the calling thread.
 *
 * A failing call throws `SYSTEM_CALL_FAILED` with the errno's name, unless its comment says otherwise.
 */
export interface Kernel {
  /** A pipe, both ends close-on-exec. @see pipe2(2) */
  pipe(): { readonly readFd: number; readonly writeFd: number };
  /** Two connected sockets, both close-on-exec; `packets` keeps messages apart. @see socketpair(2) */
  socketPair(type: 'stream' | 'packets'): readonly [number, number];
  /**
   * Sends one byte and, with it, copies of descriptors; false when the other side has gone. @see unix(7), SCM_RIGHTS
   */
  sendDescriptors(fd: number, descriptors: readonly number[]): boolean;
  /** Closes a file descriptor. @see close(2) */
  close(fd: number): void;
  /** Tries to lock an open file; false when another holder is in the way. @see flock(2) */
  tryLock(fd: number, mode: 'shared' | 'exclusive'): boolean;
  /** Releases the lock. @see flock(2) */
  unlock(fd: number): void;
  /** A descriptor that means this process for ever, or undefined when no such process exists. @see pidfd_open(2) */
  openProcess(pid: number): number | undefined;
  /** Sends a signal through a pidfd; false when the process has ended. @see pidfd_send_signal(2) */
  signalProcess(pidfd: number, signal: number): boolean;
  /**
   * Opens a netlink socket, sends `request` (whole messages, each asking for an acknowledgement or being a dump) and
   * returns the answers, one buffer per datagram, until every message was acknowledged or its dump was done.
   * Errors inside answers are the caller's to read. @see netlink(7)
   */
  netlink(protocol: 'route' | 'netfilter', request: Uint8Array): Uint8Array[];
  /** The same on a thread of its own, for requests that keep the kernel busy for milliseconds (deleting interfaces). */
  netlinkSlow(protocol: 'route' | 'netfilter', request: Uint8Array): Promise<Uint8Array[]>;
  /** Binds a socket to find out whether a port is free and returns the port (for 0: one that is); undefined if taken. */
  probePort(protocol: 'tcp' | 'udp', address: string, port: number): number | undefined;
  /** The magic number of the file system that holds `path`. @see statfs(2) */
  fileSystemType(path: string): number;
  /** Effective user id of this process. @see geteuid(2) */
  effectiveUserId(): number;
  /**
   * An unchangeable copy of `content` in memory; it can be executed as `/proc/self/fd/N` and never be written again,
   * whoever gets hold of it (CVE-2019-5736). @see memfd_create(2)
   */
  sealedCopy(name: string, content: Uint8Array): number;
  /** Gives back what is kept between calls; the kernel can be used again. */
  dispose(): void;
}

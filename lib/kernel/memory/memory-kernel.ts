import type { Kernel } from '../kernel.js';

/** One call that a {@link MemoryKernel} has seen. */
export interface KernelCall {
  readonly name: keyof Kernel;
  readonly arguments: readonly unknown[];
}

/**
 * A kernel that records its calls and keeps just enough state to answer them: descriptors, locks, ports, processes.
 * Locks follow flock(2): they belong to the descriptor's file, which {@link MemoryKernel.alias} declares.
 */
export class MemoryKernel implements Kernel {
  readonly calls: KernelCall[] = [];
  /** Processes that exist. */
  readonly processes = new Set<number>();
  /** `protocol:port` of what is taken. */
  readonly takenPorts = new Set<string>();
  /** Answers of {@link netlink}, first in first out; an empty answer when there is none. */
  readonly netlinkAnswers: Uint8Array[][] = [];
  readonly #open = new Map<number, string>();
  readonly #files = new Map<number, string>();
  readonly #locks = new Map<string, Map<number, 'shared' | 'exclusive'>>();
  #nextFd = 1000;

  /** Says that `fd` means the file `name`: descriptors of one name compete for its lock. */
  alias(fd: number, name: string): void {
    this.#files.set(fd, name);
  }

  pipe(): { readFd: number; writeFd: number } {
    this.#record('pipe');
    return { readFd: this.#allocate('pipe'), writeFd: this.#allocate('pipe') };
  }

  socketPair(type: 'stream' | 'packets'): readonly [number, number] {
    this.#record('socketPair', type);
    return [this.#allocate('socket'), this.#allocate('socket')];
  }

  sendDescriptors(fd: number, descriptors: readonly number[]): boolean {
    this.#record('sendDescriptors', fd, descriptors);
    return this.#open.has(fd);
  }

  close(fd: number): void {
    this.#record('close', fd);
    this.#open.delete(fd);
    this.#files.delete(fd);
    for (const holders of this.#locks.values()) holders.delete(fd);
  }

  tryLock(fd: number, mode: 'shared' | 'exclusive'): boolean {
    this.#record('tryLock', fd, mode);
    const name = this.#files.get(fd) ?? `fd ${fd}`;
    const holders = this.#locks.get(name) ?? new Map<number, 'shared' | 'exclusive'>();
    const others = [...holders].filter(([holder]) => holder !== fd);
    if (others.some(([, held]) => held === 'exclusive' || mode === 'exclusive')) return false;
    this.#locks.set(name, holders.set(fd, mode));
    return true;
  }

  unlock(fd: number): void {
    this.#record('unlock', fd);
    for (const holders of this.#locks.values()) holders.delete(fd);
  }

  openProcess(pid: number): number | undefined {
    this.#record('openProcess', pid);
    return this.processes.has(pid) ? this.#allocate(`process ${pid}`) : undefined;
  }

  signalProcess(pidfd: number, signal: number): boolean {
    this.#record('signalProcess', pidfd, signal);
    const pid = Number(this.#open.get(pidfd)?.replace('process ', ''));
    const alive = this.processes.has(pid);
    if (signal === 9) this.processes.delete(pid);
    return alive;
  }

  netlink(protocol: 'route' | 'netfilter', request: Uint8Array): Uint8Array[] {
    this.#record('netlink', protocol, request);
    return this.netlinkAnswers.shift() ?? [];
  }

  async netlinkSlow(protocol: 'route' | 'netfilter', request: Uint8Array): Promise<Uint8Array[]> {
    return this.netlink(protocol, request);
  }

  probePort(protocol: 'tcp' | 'udp', address: string, port: number): number | undefined {
    this.#record('probePort', protocol, address, port);
    const wanted = port === 0 ? 32_768 + this.calls.length : port;
    return this.takenPorts.has(`${protocol}:${wanted}`) ? undefined : wanted;
  }

  fileSystemType(path: string): number {
    this.#record('fileSystemType', path);
    return 0xef53;
  }

  effectiveUserId(): number {
    this.#record('effectiveUserId');
    return 0;
  }

  sealedCopy(name: string, content: Uint8Array): number {
    this.#record('sealedCopy', name, content.length);
    return this.#allocate(name);
  }

  dispose(): void {
    this.#record('dispose');
  }

  #allocate(what: string): number {
    this.#open.set(this.#nextFd, what);
    return this.#nextFd++;
  }

  #record(name: keyof Kernel, ...args: unknown[]): void {
    this.calls.push({ name, arguments: args });
  }
}

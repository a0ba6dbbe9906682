import { fstatSync } from 'node:fs';
import { constants } from 'node:os';
import type { Kernel } from '../kernel.js';
import { systemCallError } from '../system-call-error.js';

/** One call that a {@link MemoryKernel} has seen. */
export interface KernelCall {
  readonly name: keyof Kernel;
  readonly arguments: readonly unknown[];
}

type LockMode = 'shared' | 'exclusive';

/** What a descriptor of the fake means. */
type Opened = { readonly kind: 'file' } | { readonly kind: 'process'; readonly process: FakeProcess };

interface FakeProcess {
  readonly onSignal: (signal: number) => void;
  ended: boolean;
}

const SIGKILL = 9;
/** Far above every descriptor that Node may have open. */
const FIRST_FD = 1_000_000;
const FIRST_CHOSEN_PORT = 32_768;

/**
 * A kernel that records its calls and keeps just enough state to answer them: descriptors, locks, ports, processes.
 * Locks follow flock(2) between the open files of this process, which are real files.
 */
export class MemoryKernel implements Kernel {
  readonly calls: KernelCall[] = [];
  /** `protocol:port` of what is taken. */
  readonly takenPorts = new Set<string>();
  /** Answers of {@link netlink}, first in first out; an empty answer when there is none. */
  readonly netlinkAnswers: Uint8Array[][] = [];
  readonly #open = new Map<number, Opened>();
  readonly #processes = new Map<number, FakeProcess>();
  /** By file, then by the descriptor that holds it. */
  readonly #locks = new Map<string, Map<number, LockMode>>();
  #nextFd = FIRST_FD;
  #nextPort = FIRST_CHOSEN_PORT;

  /** Lets a process exist until it ends or gets a SIGKILL. `onSignal` gets every signal but 0, SIGKILL too. */
  startProcess(pid: number, onSignal: (signal: number) => void = () => undefined): void {
    this.endProcess(pid);
    this.#processes.set(pid, { onSignal, ended: false });
  }

  /** From now on the pid means nothing, or another process. */
  endProcess(pid: number): void {
    const process = this.#processes.get(pid);
    if (process !== undefined) process.ended = true;
    this.#processes.delete(pid);
  }

  pipe(): { readFd: number; writeFd: number } {
    this.#record('pipe');
    return { readFd: this.#allocate({ kind: 'file' }), writeFd: this.#allocate({ kind: 'file' }) };
  }

  socketPair(type: 'stream' | 'packets'): readonly [number, number] {
    this.#record('socketPair', type);
    return [this.#allocate({ kind: 'file' }), this.#allocate({ kind: 'file' })];
  }

  sendDescriptors(fd: number, descriptors: readonly number[]): boolean {
    this.#record('sendDescriptors', fd, descriptors);
    return this.#open.has(fd);
  }

  close(fd: number): void {
    this.#record('close', fd);
    if (!this.#open.delete(fd)) throw systemCallError('close', constants.errno.EBADF, String(fd));
  }

  tryLock(fd: number, mode: 'shared' | 'exclusive'): boolean {
    this.#record('tryLock', fd, mode);
    const file = fileOf(fd, 'flock');
    const holders = this.#locks.get(file) ?? new Map<number, LockMode>();
    this.#locks.set(file, holders);
    for (const holder of holders.keys()) if (!isOpenAt(holder, file)) holders.delete(holder); // closing unlocks
    const others = [...holders].filter(([holder]) => holder !== fd);
    if (others.some(([, held]) => held === 'exclusive' || mode === 'exclusive')) return false;
    holders.set(fd, mode);
    return true;
  }

  unlock(fd: number): void {
    this.#record('unlock', fd);
    this.#locks.get(fileOf(fd, 'flock'))?.delete(fd);
  }

  openProcess(pid: number): number | undefined {
    this.#record('openProcess', pid);
    const process = this.#processes.get(pid);
    return process && this.#allocate({ kind: 'process', process });
  }

  signalProcess(pidfd: number, signal: number): boolean {
    this.#record('signalProcess', pidfd, signal);
    const opened = this.#open.get(pidfd);
    if (opened?.kind !== 'process') throw systemCallError('pidfd_send_signal', constants.errno.EBADF, String(signal));
    const { process } = opened;
    if (process.ended) return false;
    if (signal !== 0) process.onSignal(signal);
    if (signal === SIGKILL) process.ended = true;
    return true;
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
    const wanted = port === 0 ? this.#nextPort++ : port;
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
    return this.#allocate({ kind: 'file' });
  }

  dispose(): void {
    this.#record('dispose');
  }

  #allocate(what: Opened): number {
    this.#open.set(this.#nextFd, what);
    return this.#nextFd++;
  }

  #record(name: keyof Kernel, ...args: unknown[]): void {
    this.calls.push({ name, arguments: args });
  }
}

function fileOf(fd: number, syscall: string): string {
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    throw systemCallError(syscall, constants.errno.EBADF, String(fd));
  }
}

function isOpenAt(fd: number, file: string): boolean {
  try {
    return fileOf(fd, 'flock') === file;
  } catch {
    return false;
  }
}

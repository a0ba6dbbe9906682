import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import type koffiModule from 'koffi';

/** The functions of libc that are used, typed once here: koffi itself gives `any`. */
export interface Libc {
  pipe2(fds: Int32Array, flags: number): number;
  close(fd: number): number;
  /** close(2) on a worker thread. */
  closeSlowly(fd: number): Promise<number>;
  flock(fd: number, operation: number): number;
  fcntl(fd: number, command: number, argument: number): number;
  write(fd: number, data: Uint8Array, size: number): number;
  memfd_create(name: string, flags: number): number;
  pidfd_open(pid: number, flags: number): number;
  pidfd_send_signal(pidfd: number, signal: number, info: null, flags: number): number;
  socketpair(domain: number, type: number, protocol: number, fds: Int32Array): number;
  sendmsg(fd: number, message: MessageHeader, flags: number): number;
  socket(domain: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, size: number): number;
  bind(fd: number, address: Uint8Array, size: number): number;
  getsockname(fd: number, address: Uint8Array, size: Uint8Array): number;
  send(fd: number, data: Uint8Array, size: number, flags: number): number;
  /** send(2) on a worker thread; -1 on failure, without errno. */
  sendSlowly(fd: number, data: Uint8Array, size: number, flags: number): Promise<number>;
  recv(fd: number, data: Uint8Array, size: number, flags: number): number;
  statfs(path: string, buffer: Uint8Array): number;
  geteuid(): number;
  /** errno of the last of these calls. */
  errno(): number;
}

/** What goes into struct msghdr: one piece of data and one buffer of ancillary data. @see sendmsg(2) */
export interface MessageHeader {
  readonly data: Uint8Array;
  readonly control: Uint8Array;
}

/** System call numbers that both supported architectures share (the unified table, since Linux 5.0). */
const SYS_pidfd_send_signal = 424;
const SYS_pidfd_open = 434;

/** Binds libc, which is part of the Node process already, be it glibc or musl. */
export function loadLibc(): Libc {
  const koffi = createRequire(import.meta.url)('koffi') as typeof koffiModule;
  const library = koffi.load(null);
  const bind = <F>(prototype: string): F => library.func(prototype) as unknown as F;
  // A variadic C function with a fixed list of integer arguments: both ABIs pass them in registers alike.
  const syscall = bind<(number: number, a: number, b: number, c: null, d: number) => number>(
    'long syscall(long number, long a, long b, void *c, long d)',
  );
  const close = library.func('int close(int fd)');
  const send = library.func('long send(int fd, const uint8_t *data, size_t size, int flags)');
  return {
    pipe2: bind('int pipe2(int *fds, int flags)'),
    close: close as unknown as Libc['close'],
    closeSlowly: promisify(close.async) as unknown as Libc['closeSlowly'],
    flock: bind('int flock(int fd, int operation)'),
    fcntl: bind('int fcntl(int fd, int command, long argument)'),
    write: bind('long write(int fd, const uint8_t *data, size_t size)'),
    memfd_create: bind('int memfd_create(const char *name, uint flags)'),
    pidfd_open: (pid, flags) => syscall(SYS_pidfd_open, pid, flags, null, 0),
    pidfd_send_signal: (pidfd, signal, info, flags) => syscall(SYS_pidfd_send_signal, pidfd, signal, info, flags),
    socketpair: bind('int socketpair(int domain, int type, int protocol, int *fds)'),
    sendmsg: bindSendmsg(koffi, library),
    socket: bind('int socket(int domain, int type, int protocol)'),
    setsockopt: bind('int setsockopt(int fd, int level, int option, const uint8_t *value, uint size)'),
    bind: bind('int bind(int fd, const uint8_t *address, uint size)'),
    getsockname: bind('int getsockname(int fd, uint8_t *address, uint8_t *size)'),
    send: send as unknown as Libc['send'],
    sendSlowly: promisify(send.async) as unknown as Libc['sendSlowly'],
    recv: bind('long recv(int fd, uint8_t *data, size_t size, int flags)'),
    statfs: bind('int statfs(const char *path, uint8_t *buffer)'),
    geteuid: bind('uint geteuid()'),
    errno: () => koffi.errno(),
  };
}

/** struct msghdr of glibc on 64-bit machines; musl's has padding where the upper halves of its two lengths are. */
function bindSendmsg(koffi: typeof koffiModule, library: ReturnType<typeof koffiModule.load>): Libc['sendmsg'] {
  const iovec = koffi.struct({ base: 'const uint8_t *', size: 'size_t' });
  const header = koffi.struct({
    name: 'void *',
    nameSize: 'uint32_t',
    data: koffi.pointer(iovec),
    dataCount: 'size_t',
    control: 'const uint8_t *',
    controlSize: 'size_t',
    flags: 'int',
  });
  const sendmsg = library.func('sendmsg', 'long', ['int', koffi.pointer(header), 'int']);
  return (fd, { data, control }, flags) =>
    sendmsg(
      fd,
      {
        name: null,
        nameSize: 0,
        data: [{ base: data, size: data.length }],
        dataCount: 1,
        control,
        controlSize: control.length,
        flags: 0,
      },
      flags,
    ) as number;
}

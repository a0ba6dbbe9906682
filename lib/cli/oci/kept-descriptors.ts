import { readdirSync, readlinkSync } from 'node:fs';

/**
 * Which of the descriptors 3 … 2 + `count` the caller has given us. Numbers that it left free may since have been taken by
 * Node itself, for its event loop: none of those may reach a container.
 */
export function keptDescriptors(count: number): readonly number[] {
  if (count <= 0) return [];
  const open = readdirSync('/proc/self/fd')
    .map(Number)
    .sort((a, b) => a - b)
    .flatMap((fd) => {
      const target = targetOf(fd);
      return target === undefined ? [] : [{ fd, target }];
    });
  const pipes = open.map(({ target }) => target).filter((target) => target.startsWith('pipe:'));
  const isOurs = (target: string): boolean =>
    /^anon_inode:\[(?:eventpoll|eventfd|io_uring|signalfd)\]$/.test(target) ||
    pipes.indexOf(target) !== pipes.lastIndexOf(target);
  return open.filter(({ fd, target }) => fd >= 3 && fd < 3 + count && !isOurs(target)).map(({ fd }) => fd);
}

function targetOf(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined; // the one that listed the directory
  }
}

import { constants } from 'node:os';

/** Second names of EAGAIN and EOPNOTSUPP, which manual pages and the kernel's messages do not use. */
const aliases = new Set(['EWOULDBLOCK', 'ENOTSUP']);
const names = new Map(
  Object.entries(constants.errno)
    .filter(([name]) => !aliases.has(name))
    .map(([name, value]) => [value, name]),
);

/** `ENOENT` for 2; `errno 530` for a number without a name. @see errno(3) */
export function errnoName(errno: number): string {
  return names.get(Math.abs(errno)) ?? `errno ${Math.abs(errno)}`;
}

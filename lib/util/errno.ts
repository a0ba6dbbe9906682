/**
 * The name of the errno with which a system call of Node has failed, e.g. `ENOENT`; undefined for any other error. Jest gives
 * modules an `Error` of their own, so `instanceof` says nothing.
 */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** True when it is one of these. */
export function hasErrno(error: unknown, ...codes: readonly string[]): boolean {
  const code = errnoOf(error);
  return code !== undefined && codes.includes(code);
}

/** True when `error` comes from a system call of Node that failed with `code`, e.g. `ENOENT`. */
export function hasErrno(error: unknown, ...codes: readonly string[]): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string' &&
    codes.includes(error.code)
  );
}

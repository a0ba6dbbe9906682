/**
 * Arguments for `unshare`, to run a program in a mount namespace of its own with empty `/run` and `/dev/shm`: what it
 * mounts and puts there goes with it.
 */
export function privately(program: string, args: readonly string[]): readonly string[] {
  const script = 'mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /dev/shm && exec "$@"';
  return ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', program, ...args];
}

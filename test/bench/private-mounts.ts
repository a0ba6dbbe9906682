import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const mark = 'TSCONTAINER_BENCH_PRIVATE_MOUNTS';
const unified = '/sys/fs/cgroup/unified';

/**
 * Runs this program again in a mount namespace of its own, so that no mount of a peer can stay behind, and returns its
 * exit code; undefined means that this is that run. crun refuses machines on which the cgroup v2 hierarchy beside those
 * of v1 has a controller: there the namespace does not have that hierarchy.
 */
export function runWithPrivateMounts(): number | undefined {
  if (process.env[mark] !== undefined) return undefined;
  const controllers = `${unified}/cgroup.controllers`;
  const hide = existsSync(controllers) && readFileSync(controllers, 'utf8').trim() !== '';
  if (hide) console.error(`${unified} is hidden from all contestants: crun refuses hierarchies of both versions`);
  const script = `${hide ? `umount ${unified} && ` : ''}exec "$@"`;
  const { status, error } = spawnSync(
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', process.execPath, ...process.argv.slice(1)],
    { stdio: 'inherit', env: { ...process.env, [mark]: '1' } },
  );
  if (error !== undefined) throw error;
  return status ?? 1;
}

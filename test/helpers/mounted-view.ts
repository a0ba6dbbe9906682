import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RootMount } from '#lib/core/mount.js';
import type { TreeEntry } from './tree-listing.js';

const run = promisify(execFile);

const mountAndRun = `
import ctypes, os, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    result = libc.syscall(number, *args)
    if result < 0: sys.exit('call %d: %s' % (number, os.strerror(ctypes.get_errno())))
    return result
target, upper, work, lower, command = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4].split(':'), sys.argv[5:]
def erofs(index):
    context = call(430, b'erofs', 1)
    call(431, context, 1, b'source', index.encode(), 0)
    data = os.path.join(os.path.dirname(index), 'data')
    if os.path.getsize(data) > 0: call(431, context, 1, b'device', data.encode(), 0)
    call(431, context, 6, None, None, 0)
    return '/proc/self/fd/%d' % call(432, context, 1, 1)
context = call(430, b'overlay', 1)
def option(key, value): call(431, context, 1, key, value.encode(), 0)
for each in lower: option(b'lowerdir+', erofs(each) if os.path.isfile(each) else each)
option(b'upperdir', upper)
option(b'workdir', work)
option(b'index', 'off')
option(b'metacopy', 'off')
call(431, context, 6, None, None, 0)
mount = call(432, context, 1, 0)
call(429, mount, b'', -100, target.encode(), 4)
sys.exit(subprocess.run(command).returncode)
`;

/**
 * Runs a command with the root file system of a container at `target` (an existing empty directory), in a mount
 * namespace of its own, and returns what it printed. The mount ends with the command.
 */
export async function runOnRoot(mount: RootMount, target: string, command: readonly string[]): Promise<string> {
  const options = { encoding: 'latin1', maxBuffer: 512 * 1024 * 1024 } as const;
  const args =
    mount.type === 'bind'
      ? ['-m', 'sh', '-c', 'mount --bind "$1" "$2" && shift 2 && exec "$@"', 'sh', mount.source, target, ...command]
      : ['-m', 'python3', '-c', mountAndRun, target, mount.upper, mount.work, mount.lower.join(':'), ...command];
  const { stdout } = await run('unshare', args, options);
  return stdout;
}

const listing = `
import { listTree } from ${JSON.stringify(new URL('./tree-listing.js', import.meta.url).href)};
process.stdout.write(JSON.stringify(await listTree(process.argv[1])));
`;

/** Everything in the root file system of a container. */
export async function treeOf(mount: RootMount, target: string): Promise<readonly TreeEntry[]> {
  const command = [process.execPath, '--input-type=module', '-e', listing, target];
  const shown = await runOnRoot(mount, target, command);
  return JSON.parse(Buffer.from(shown, 'latin1').toString('utf8'));
}

/** Path to `d`, `l:TARGET`, or the content of a file. */
export async function viewOf(mount: RootMount, target: string): Promise<Map<string, string>> {
  const script = `
import os, sys
os.chdir(sys.argv[1])
for top, directories, files in os.walk('.'):
    for name in directories + files:
        path = os.path.join(top, name)
        if os.path.islink(path): what = 'l:' + os.readlink(path)
        elif os.path.isdir(path): what = 'd'
        elif os.path.isfile(path): what = open(path, encoding='latin1').read()
        else: what = 'other'
        sys.stdout.write(path[2:] + '\\0' + what + '\\0')
`;
  const fields = (await runOnRoot(mount, target, ['python3', '-c', script, target])).split('\0');
  const seen = new Map<string, string>();
  for (let at = 0; at + 1 < fields.length; at += 2) seen.set(fields[at] ?? '', fields[at + 1] ?? '');
  return seen;
}

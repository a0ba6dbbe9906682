import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Everything about one name in a tree that an archive can carry. Names and values hold one byte per character. */
export interface TreeEntry {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'link' | 'char' | 'block' | 'fifo' | 'socket';
  /** Permission bits, octal. */
  readonly mode: string;
  readonly owner: string;
  /** Nanoseconds since the epoch. */
  readonly mtime: string;
  /** Of a link. */
  readonly target?: string;
  /** Of a device: major:minor. */
  readonly device?: string;
  /** Of a file: sha256 and size. */
  readonly content?: string;
  /** The first path of the group of hard links, where there is more than one name in the tree. */
  readonly sameFileAs?: string;
  /** Extended attributes: name=hex, sorted. */
  readonly xattrs?: readonly string[];
}

const run = promisify(execFile);

/**
 * Lists the tree below `root` (and `root` itself, as ''), sorted by path. What is mounted below it appears as an entry and
 * is not entered. Needs to be root to see everything.
 */
export async function listTree(root: string): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  const firstNames = new Map<string, { path: string; count: number }>();
  const xattrs = await listXattrs(root);
  const device = (await lstat(root.endsWith('/') ? root : `${root}/`, { bigint: true })).dev;
  async function visit(path: Buffer): Promise<void> {
    const full = path.length === 0 ? Buffer.from(root) : Buffer.concat([Buffer.from(`${root}/`), path]);
    const status = await lstat(path.length === 0 ? Buffer.from(`${root}/`) : full, { bigint: true });
    const name = path.toString('latin1');
    const inode = `${status.dev}:${status.ino}`;
    if (!status.isDirectory() && status.nlink > 1n) {
      const known = firstNames.get(inode);
      if (known === undefined) firstNames.set(inode, { path: name, count: 1 });
      else known.count += 1;
    }
    const found = xattrs.get(name);
    entries.push({
      path: name,
      type: typeOf(status),
      mode: (status.mode & 0o7777n).toString(8),
      owner: `${status.uid}:${status.gid}`,
      mtime: status.mtimeNs.toString(),
      ...(status.isSymbolicLink() && { target: (await readlink(full, 'buffer')).toString('latin1') }),
      ...((status.isCharacterDevice() || status.isBlockDevice()) && { device: deviceOf(status.rdev) }),
      ...(status.isFile() && { content: await contentOf(full) }),
      ...(!status.isDirectory() && status.nlink > 1n && { sameFileAs: inode }),
      ...(found && { xattrs: found }),
    });
    // Only directories tell: overlayfs shows files with the device of the layer that they are in.
    if (!status.isDirectory() || status.dev !== device) return;
    const names = await readdir(full, { encoding: 'buffer' });
    for (const each of names.sort(Buffer.compare))
      await visit(path.length === 0 ? each : Buffer.concat([path, Buffer.from('/'), each]));
  }
  await visit(Buffer.alloc(0));
  return entries.map((entry) => {
    const { sameFileAs, ...rest } = entry;
    const group = sameFileAs === undefined ? undefined : firstNames.get(sameFileAs);
    return group !== undefined && group.count > 1 ? { ...rest, sameFileAs: group.path } : rest;
  });
}

/** One line for each difference between two listings: `path: field: left | right`. */
export function compareListings(left: readonly TreeEntry[], right: readonly TreeEntry[]): string[] {
  const rightByPath = new Map(right.map((entry) => [entry.path, entry]));
  const differences: string[] = [];
  for (const entry of left) {
    const other = rightByPath.get(entry.path);
    rightByPath.delete(entry.path);
    if (other === undefined) differences.push(`${entry.path}: only left`);
    else if (JSON.stringify(entry) !== JSON.stringify(other))
      differences.push(`${entry.path}: ${JSON.stringify(entry)} | ${JSON.stringify(other)}`);
  }
  return [...differences, ...[...rightByPath.keys()].map((path) => `${path}: only right`)];
}

interface Status {
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isFile(): boolean;
  isCharacterDevice(): boolean;
  isBlockDevice(): boolean;
  isFIFO(): boolean;
}

function typeOf(status: Status): TreeEntry['type'] {
  if (status.isDirectory()) return 'directory';
  if (status.isSymbolicLink()) return 'link';
  if (status.isFile()) return 'file';
  if (status.isCharacterDevice()) return 'char';
  if (status.isBlockDevice()) return 'block';
  return status.isFIFO() ? 'fifo' : 'socket';
}

/** @see makedev(3), as Linux packs 32-bit majors and minors */
function deviceOf(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

async function contentOf(path: Buffer): Promise<string> {
  const file = await open(path, 'r');
  try {
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of file.createReadStream({ autoClose: false })) {
      size += (chunk as Buffer).length;
      hash.update(chunk as Buffer);
    }
    return `${hash.digest('hex')} ${size}`;
  } finally {
    await file.close();
  }
}

/** Node has no call for extended attributes; getfattr(1) prints those of a whole tree, with names escaped as \ooo. */
async function listXattrs(root: string): Promise<Map<string, readonly string[]>> {
  const list = 'find . -xdev -print0 | xargs -0 getfattr -h -d -m - -e hex --absolute-names';
  const { stdout } = await run('sh', ['-c', list], {
    cwd: root,
    encoding: 'latin1',
    maxBuffer: 256 * 1024 * 1024,
  });
  const result = new Map<string, readonly string[]>();
  for (const paragraph of stdout.split('\n\n')) {
    const [header = '', ...lines] = paragraph.split('\n').filter((line) => line !== '');
    if (!header.startsWith('# file: ')) continue;
    const path = header
      .slice('# file: '.length)
      .replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
    result.set(path === '.' ? '' : path.replace(/^\.\//, ''), lines.sort());
  }
  return result;
}

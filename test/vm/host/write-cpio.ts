import { createReadStream } from 'node:fs';
import type { TreeEntry } from '#lib/image/from-host/tree-entry.js';

/**
 * The entries as an archive that the kernel unpacks into its first root file system; everything belongs to root.
 *
 * @see kernel Documentation/driver-api/early-userspace/buffer-format.rst
 */
export async function* writeCpio(entries: readonly (readonly [path: string, entry: TreeEntry])[]) {
  let inode = 1;
  for (const [path, entry] of entries) {
    yield header(path.slice(1), modeOf(entry), sizeOf(entry), inode);
    if (entry.type === 'file') yield* createReadStream(entry.source, { highWaterMark: 1 << 20 });
    if (entry.type === 'text') yield Buffer.from(entry.text);
    if (entry.type === 'link') yield Buffer.from(entry.target);
    yield Buffer.alloc(-sizeOf(entry) & 3);
    inode += 1;
  }
  yield header('TRAILER!!!', 0, 0, 0);
}

function modeOf(entry: TreeEntry): number {
  if (entry.type === 'link') return 0o120777;
  return (entry.type === 'directory' ? 0o040000 : 0o100000) | entry.mode;
}

function sizeOf(entry: TreeEntry): number {
  if (entry.type === 'file') return entry.size;
  return entry.type === 'directory' ? 0 : Buffer.byteLength(entry.type === 'link' ? entry.target : entry.text);
}

function header(name: string, mode: number, size: number, inode: number): Buffer {
  const nameSize = Buffer.byteLength(name) + 1;
  const links = 1;
  const fields = [inode, mode, 0, 0, links, 0, size, 0, 0, 0, 0, nameSize, 0];
  const text = `070701${fields.map((each) => each.toString(16).padStart(8, '0')).join('')}${name}\0`;
  const bytes = Buffer.from(text);
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}

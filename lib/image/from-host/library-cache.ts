import { readFile } from 'node:fs/promises';

const magic = 'glibc-ld.so.cache1.1';
const headerBytes = 48;
const entryBytes = 24;

/**
 * Library names to candidate paths from glibc's cache, in the order of the file. Empty when there is none, or one of
 * another form. Entries for particular processor models are left out: the plain ones run everywhere.
 *
 * @see ldconfig(8); sysdeps/generic/dl-cache.h in glibc
 */
export async function readLibraryCache(path: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const file = await readFile(path).catch(() => Buffer.alloc(0));
  const found = new Map<string, string[]>();
  const start = file.indexOf(magic); // an older form may come first
  if (start < 0 || file.length < start + headerBytes) return found;
  const cache = file.subarray(start);
  const little = (cache.readUInt8(28) & 3) !== 3; // 3 marks big-endian caches; 0 is of old, native files
  const number = (at: number): number => (little ? cache.readUInt32LE(at) : cache.readUInt32BE(at));
  const count = number(20);
  for (let index = 0; index < count; index += 1) {
    const at = headerBytes + index * entryBytes;
    if (at + entryBytes > cache.length) break;
    if (number(at + 16) !== 0 || number(at + 20) !== 0) continue;
    const name = textAt(cache, number(at + 4));
    found.set(name, [...(found.get(name) ?? []), textAt(cache, number(at + 8))]);
  }
  return found;
}

function textAt(cache: Buffer, at: number): string {
  const end = cache.indexOf(0, at);
  return end < 0 ? '' : cache.toString('utf8', at, end);
}

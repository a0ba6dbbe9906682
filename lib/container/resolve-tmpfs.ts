import { posix } from 'node:path';
import { parseBytes } from '../core/units.js';
import type { MountAttribute } from '../runtime/launch-plan.js';
import type { ConfiguredMount } from './container-config.js';
import { invalidOption } from './invalid-option.js';

/** Options of a file system in memory beside size and mode. @see tmpfs(5) */
const plainOptions = new Set(['uid', 'gid', 'nr_inodes', 'nr_blocks', 'huge', 'mpol']);
const attributes: readonly string[] = ['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'nosymfollow'];
const opposites: Readonly<Record<string, MountAttribute>> = { rw: 'ro', suid: 'nosuid', dev: 'nodev', exec: 'noexec' };

/**
 * Docker's `--tmpfs`: nosuid, nodev and noexec unless the options take that back.
 *
 * @throws EngineError `INVALID_OPTION`.
 */
export function resolveTmpfs(tmpfs: Readonly<Record<string, string>> = {}): readonly ConfiguredMount[] {
  return Object.entries(tmpfs).map(([path, text]) => {
    const option = `tmpfs['${path}']`;
    const target = posix.normalize(path);
    if (!path.startsWith('/') || path.includes('\0') || target === '/')
      throw invalidOption(option, 'an absolute path below /', path);
    const set = new Set<MountAttribute>(['nosuid', 'nodev', 'noexec']);
    const options: string[] = [];
    let mode = 0o1777;
    for (const each of text.split(',').filter((word) => word !== '')) {
      const [key = '', value] = each.split(/=(.*)/s);
      const opposite = opposites[each];
      if (opposite !== undefined) set.delete(opposite);
      else if (attributes.includes(each)) set.add(each as MountAttribute);
      else if (key === 'size' && value?.endsWith('%')) options.push(`size=${percentage(value, option)}`);
      else if (key === 'size' && value) options.push(`size=${parseBytes(value, option)}`);
      else if (key === 'mode' && /^[0-7]{1,5}$/.test(value ?? '')) mode = Number.parseInt(value ?? '', 8) & 0o7777;
      else if (plainOptions.has(key) && /^[\w:=.,-]+$/.test(value ?? '')) options.push(each);
      else throw invalidOption(option, 'options of tmpfs(5)', each);
    }
    return { type: 'tmpfs', target, mode, attributes: [...set], options };
  });
}

function percentage(value: string, option: string): string {
  if (/^\d{1,3}%$/.test(value) && Number.parseInt(value, 10) <= 100) return value;
  throw invalidOption(option, 'a size in bytes, or up to 100%', value);
}

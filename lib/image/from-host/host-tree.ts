import { lstat, readdir, readlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';
import type { TreeEntry } from './tree-entry.js';

/** The same bound as the kernel's. @see path_resolution(7) */
const maxLinks = 40;

/**
 * A tree of entries, filled with files of the host under their own paths. Symbolic links on the way to a file become
 * links in the tree, so that a path that works on the host (`/lib64/ld-linux-x86-64.so.2`, `/bin/sh`) works there too.
 */
export class HostTree {
  readonly #entries = new Map<string, TreeEntry>();

  /** Every entry after the directories above it, in an order that depends on nothing else. */
  sorted(): [path: string, entry: TreeEntry][] {
    const key = (path: string): string => path.replaceAll('/', '\0');
    return [...this.#entries].sort(([a], [b]) => (key(a) < key(b) ? -1 : 1));
  }

  /** Adds or replaces an entry, and directories above it where there is nothing. Links of the tree are followed. */
  set(path: string, entry: TreeEntry): void {
    const home = join(this.#follow(dirname(path), maxLinks), basename(path));
    this.#addParents(home);
    this.#entries.set(home, entry);
  }

  /** Adds a file, link or directory (with all that is in it) of the host, together with the links on its path. */
  async addHostPath(path: string): Promise<void> {
    await this.#add(resolve(path), maxLinks);
  }

  /** Adds a file or directory of the host under another path. Links inside keep their targets. */
  async addHostPathAs(source: string, target: string): Promise<void> {
    const stats = await statOf(source);
    if (stats.isSymbolicLink()) this.set(target, { type: 'link', target: await readlink(source) });
    else if (stats.isFile()) this.set(target, { type: 'file', mode: stats.mode & 0o777, source, size: stats.size });
    else if (stats.isDirectory()) {
      this.set(target, { type: 'directory', mode: stats.mode & 0o777 });
      for (const name of await readdir(source)) await this.addHostPathAs(join(source, name), join(target, name));
    } else throw new EngineError('HOST_FILE_UNUSABLE', { path: source, reason: 'neither file, link nor directory' });
  }

  async #add(path: string, linksLeft: number): Promise<void> {
    if (linksLeft === 0) throw new EngineError('HOST_FILE_UNUSABLE', { path, reason: 'too many symbolic links' });
    const parts = path.split('/').filter((part) => part !== '');
    for (const [index] of parts.entries()) {
      const prefix = `/${parts.slice(0, index + 1).join('/')}`;
      const stats = await statOf(prefix);
      if (!stats.isSymbolicLink()) continue;
      const target = await readlink(prefix);
      this.set(prefix, { type: 'link', target });
      await this.#add(join(resolve(dirname(prefix), target), ...parts.slice(index + 1)), linksLeft - 1);
      return;
    }
    await this.addHostPathAs(path, path);
  }

  /** Where a directory really is in the tree, so that no entry lies below a link. */
  #follow(path: string, linksLeft: number): string {
    if (linksLeft === 0) throw new EngineError('HOST_FILE_UNUSABLE', { path, reason: 'too many symbolic links' });
    const parts = path.split('/').filter((part) => part !== '');
    for (const [index] of parts.entries()) {
      const prefix = `/${parts.slice(0, index + 1).join('/')}`;
      const entry = this.#entries.get(prefix);
      if (entry?.type !== 'link') continue;
      return this.#follow(join(resolve(dirname(prefix), entry.target), ...parts.slice(index + 1)), linksLeft - 1);
    }
    return path;
  }

  /** Directories made on the way are open to every user of the container, whatever they are on the host. */
  #addParents(path: string): void {
    for (let parent = dirname(path); parent !== '/'; parent = dirname(parent)) {
      if (!this.#entries.has(parent)) this.#entries.set(parent, { type: 'directory', mode: 0o755 });
    }
  }
}

async function statOf(path: string) {
  try {
    return await lstat(path);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new EngineError('HOST_FILE_UNUSABLE', { path, reason }, { cause });
  }
}

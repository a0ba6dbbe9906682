import { access } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EngineError } from '../../core/errors/engine-error.js';
import { type ElfFile, readElf } from './elf.js';
import { readLibraryCache } from './library-cache.js';

export interface LibrarySearch {
  /** glibc's cache. Default /etc/ld.so.cache. */
  readonly cachePath?: string | undefined;
  /** Searched last. Default: those built into the loaders of the usual distributions. */
  readonly defaultDirectories?: readonly string[] | undefined;
}

/** Where loaders look by themselves; the multiarch ones are Debian's. */
const builtIn = [
  ...['x86_64-linux-gnu', 'i386-linux-gnu', 'aarch64-linux-gnu', 'arm-linux-gnueabihf'].flatMap((triplet) => [
    `/lib/${triplet}`,
    `/usr/lib/${triplet}`,
  ]),
  ...['/lib64', '/usr/lib64', '/lib', '/usr/lib', '/usr/local/lib'],
];

export interface ResolvedLibraries {
  /** Paths under which the loader opens its files: the loader itself, then libraries. Not freed of symbolic links. */
  readonly paths: readonly string[];
  /** Some were found through the cache only, so the image needs it too. */
  readonly usesCache: boolean;
}

/**
 * All files that the dynamic loader opens for `program`, found as ld.so finds them: RPATH of the object and of those
 * that load it (unless the object has RUNPATH), RUNPATH of the object, the cache, the default directories. Libraries
 * of another architecture are passed over. Files that a program opens later with dlopen(3) are unknown here, except
 * libgcc_s, which glibc itself opens to end a thread.
 *
 * @throws EngineError `HOST_LIBRARY_NOT_FOUND`, `HOST_FILE_UNUSABLE`.
 * @see ld.so(8)
 */
export async function resolveLibraries(
  program: string,
  elf: ElfFile,
  search: LibrarySearch = {},
): Promise<ResolvedLibraries> {
  const cache = await readLibraryCache(search.cachePath ?? '/etc/ld.so.cache');
  const state: SearchState = { cache, defaults: search.defaultDirectories ?? builtIn, abi: elf.abi, fromCache: false };
  const found = new Map<string, string>(); // by name: the loader loads a name once
  const queue: LoadedObject[] = [{ path: program, elf, loadedBy: undefined }];
  for (let object = queue.shift(); object !== undefined; object = queue.shift()) {
    for (const name of object.elf.needed) {
      if (found.has(name) || isLoaderItself(name, elf)) continue;
      const library = await locate(name, object, state);
      if (library === undefined) {
        throw new EngineError('HOST_LIBRARY_NOT_FOUND', { library: name, neededBy: object.path });
      }
      found.set(name, library.path);
      queue.push({ ...library, loadedBy: object });
    }
  }
  await addSoftDependency('libgcc_s.so.1', found, { path: program, elf, loadedBy: undefined }, state);
  const loader = elf.interpreter === undefined ? [] : [elf.interpreter];
  return { paths: [...new Set([...loader, ...found.values()])], usesCache: state.fromCache };
}

interface LoadedObject {
  readonly path: string;
  readonly elf: ElfFile;
  readonly loadedBy: LoadedObject | undefined;
}

interface SearchState {
  readonly cache: ReadonlyMap<string, readonly string[]>;
  readonly defaults: readonly string[];
  readonly abi: string;
  fromCache: boolean;
}

interface Library {
  readonly path: string;
  readonly elf: ElfFile;
}

/** musl's loader and C library are one file. */
function isLoaderItself(name: string, program: ElfFile): boolean {
  const loader = basename(program.interpreter ?? '');
  return name === loader || (loader.startsWith('ld-musl-') && /^libc\.(?:so|musl-.*)$/.test(name));
}

async function locate(name: string, object: LoadedObject, state: SearchState): Promise<Library | undefined> {
  if (name.includes('/')) return usable(expand(name, object.path)[0] ?? name, state);
  for (const directory of [
    ...inheritedRpath(object),
    ...object.elf.runpath.flatMap((each) => expand(each, object.path)),
  ]) {
    const library = await usable(join(directory, name), state);
    if (library !== undefined) return library;
  }
  for (const path of state.cache.get(name) ?? []) {
    const library = await usable(path, state);
    if (library === undefined) continue;
    state.fromCache ||= !state.defaults.includes(dirname(path));
    return library;
  }
  for (const directory of state.defaults) {
    const library = await usable(join(directory, name), state);
    if (library !== undefined) return library;
  }
  return undefined;
}

function inheritedRpath(object: LoadedObject): string[] {
  if (object.elf.runpath.length > 0) return [];
  const directories: string[] = [];
  for (let each: LoadedObject | undefined = object; each !== undefined; each = each.loadedBy) {
    const { path } = each;
    if (each.elf.runpath.length === 0) directories.push(...each.elf.rpath.flatMap((entry) => expand(entry, path)));
  }
  return directories;
}

/** A directory with a token that is not known here is left out, as ld.so does. */
function expand(directory: string, object: string): string[] {
  const expanded = directory.replace(/\$(?:ORIGIN|\{ORIGIN\})/g, dirname(object));
  const variants = /\$(?:LIB|\{LIB\})/.test(expanded)
    ? ['lib/x86_64-linux-gnu', 'lib64', 'lib'].map((lib) => expanded.replace(/\$(?:LIB|\{LIB\})/g, lib))
    : [expanded];
  return variants.filter((each) => !each.includes('$') && each.startsWith('/'));
}

async function usable(path: string, state: SearchState): Promise<Library | undefined> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists) return undefined;
  const elf = await readElf(path);
  return elf?.abi === state.abi ? { path, elf } : undefined;
}

async function addSoftDependency(
  name: string,
  found: Map<string, string>,
  object: LoadedObject,
  state: SearchState,
): Promise<void> {
  if (!found.has('libc.so.6') || found.has(name)) return;
  const library = await locate(name, object, state);
  if (library !== undefined) found.set(name, library.path);
}

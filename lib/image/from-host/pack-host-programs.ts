import { lstat, readlink, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, normalize } from 'node:path';
import type { Abortable } from '../../core/abortable.js';
import { defaultPath } from '../../core/environment.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { readElf } from './elf.js';
import { findHostProgram } from './find-host-program.js';
import { HostTree } from './host-tree.js';
import { resolveLibraries } from './resolve-libraries.js';
import { scriptInterpreter } from './script-interpreter.js';
import { writeTreeTar } from './write-tree-tar.js';

export interface PackHostOptions extends Abortable {
  /** Programs of the host: names, looked up in `searchPath`, or absolute paths. The first is the image's command. */
  readonly binaries: readonly string[];
  /** Where names are looked up, like `PATH`. */
  readonly searchPath: string;
  /** Further files or directories: a path that stays the same inside, or `source` on the host as `target` inside. */
  readonly files?: readonly (string | { readonly source: string; readonly target: string })[] | undefined;
}

export interface PackedHost {
  /** For the image's config. */
  readonly config: { readonly env: readonly string[]; readonly cmd: readonly string[] };
  /** Bytes of all files. */
  readonly contentBytes: number;
  /** The layer, uncompressed; the same programs give the same bytes. Each call starts anew. */
  tar(): AsyncIterable<Uint8Array>;
}

/**
 * Packs programs of the host with all that their dynamic loader and their interpreters need, under the paths of the
 * host, plus what programs expect of any system: a user database, /tmp, mount points. Files that programs open by
 * themselves (plug-ins, standard libraries of languages) are the caller's to name in `files`.
 *
 * @throws EngineError `HOST_PROGRAM_NOT_FOUND`, `HOST_LIBRARY_NOT_FOUND`, `HOST_FILE_UNUSABLE`, `INVALID_OPTION`.
 */
export async function packHostPrograms(options: PackHostOptions): Promise<PackedHost> {
  const tree = new HostTree();
  await addSkeleton(tree);
  const programs: string[] = [];
  for (const binary of options.binaries) {
    options.signal?.throwIfAborted();
    const path = await findHostProgram(binary, options.searchPath);
    programs.push(path);
    await addProgram(tree, path, options.searchPath, new Set());
  }
  const [command] = programs;
  if (command === undefined) throw invalid('binaries', 'at least one program', '[]');
  for (const file of options.files ?? []) await addFile(tree, file);
  const entries = tree.sorted();
  const sizes = entries.map(([, entry]) => (entry.type === 'file' ? entry.size : 0));
  return {
    config: { env: [`PATH=${pathFor(programs)}`], cmd: [command] },
    contentBytes: sizes.reduce((sum, size) => sum + size, 0),
    tar: () => writeTreeTar(entries, options.signal),
  };
}

/** `asked` breaks circles of scripts that interpret each other. */
async function addProgram(tree: HostTree, path: string, searchPath: string, asked: Set<string>): Promise<void> {
  if (asked.has(path)) return;
  asked.add(path);
  await tree.addHostPath(path);
  const real = await realpath(path); // $ORIGIN of a program is where the file itself is
  const elf = await readElf(real);
  if (elf === undefined) {
    for (const each of await scriptInterpreter(real)) {
      await addProgram(tree, await findHostProgram(each, searchPath), searchPath, asked);
    }
    return;
  }
  const libraries = await resolveLibraries(real, elf);
  for (const library of libraries.paths) await tree.addHostPath(library);
  if (libraries.usesCache) await tree.addHostPath('/etc/ld.so.cache');
}

async function addFile(tree: HostTree, file: string | { source: string; target: string }): Promise<void> {
  const { source, target } = typeof file === 'string' ? { source: file, target: file } : file;
  for (const path of [source, target]) {
    if (!isAbsolute(path) || path.includes('\0')) throw invalid('files', 'absolute paths', JSON.stringify(path));
  }
  const inside = normalize(target).replace(/(.)\/$/, '$1');
  if (inside === '/') throw invalid('files', 'a target below /', target);
  if (normalize(source) === inside) await tree.addHostPath(source);
  else await tree.addHostPathAs(source, inside);
}

const skeletonFiles = {
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n',
  '/etc/group': 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n',
  '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

const skeletonDirectories: Readonly<Record<string, number>> = {
  ...{ '/dev': 0o755, '/etc': 0o755, '/home': 0o755, '/proc': 0o755, '/run': 0o755, '/sys': 0o755, '/usr': 0o755 },
  ...{ '/root': 0o700, '/tmp': 0o1777, '/var': 0o755, '/var/tmp': 0o1777 },
};

async function addSkeleton(tree: HostTree): Promise<void> {
  for (const [path, mode] of Object.entries(skeletonDirectories)) tree.set(path, { type: 'directory', mode });
  for (const [path, text] of Object.entries(skeletonFiles)) tree.set(path, { type: 'text', mode: 0o644, text });
  for (const path of ['/bin', '/sbin', '/lib', '/lib64']) await addMergedDirectory(tree, path);
}

/** On hosts with a merged /usr these are links, and paths through them are in every script and program. */
async function addMergedDirectory(tree: HostTree, path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined || !stats.isSymbolicLink()) return;
  const target = await readlink(path);
  if (!/^\/?usr\/[a-z0-9]+$/.test(target)) return;
  tree.set(path, { type: 'link', target });
  tree.set(`/${target.replace(/^\//, '')}`, { type: 'directory', mode: 0o755 });
}

/** The usual directories, and those of programs that live elsewhere. */
function pathFor(programs: readonly string[]): string {
  return [...new Set([...defaultPath.split(':'), ...programs.map((each) => dirname(each))])].join(':');
}

function invalid(option: string, expected: string, got: string): EngineError {
  return new EngineError('INVALID_OPTION', { option, expected, got: got.slice(0, 200) });
}

import type { CgroupFileAccess } from '#lib/runtime/cgroup/probe-cgroups.js';

/** A file tree in memory: paths to texts; `-> target` is a symbolic link of a directory. */
export function fakeCgroupFiles(
  tree: Readonly<Record<string, string>>,
  readOnly: readonly string[] = [],
): CgroupFileAccess {
  const paths = Object.keys(tree);
  const target = (path: string): string => tree[path]?.match(/^-> (.+)$/)?.[1] ?? path;
  const isDirectory = (path: string): boolean => paths.some((each) => each.startsWith(`${path}/`));
  return {
    readText: async (path) => tree[path],
    list: async (path) =>
      isDirectory(path)
        ? [...new Set(paths.filter((each) => each.startsWith(`${path}/`)).map((each) => firstPart(each, path)))]
        : undefined,
    realPath: async (path) => (isDirectory(target(path)) ? target(path) : undefined),
    isWritable: async (path) =>
      isDirectory(path) && !readOnly.some((each) => path === each || path.startsWith(`${each}/`)),
  };
}

function firstPart(path: string, directory: string): string {
  return path.slice(directory.length + 1).split('/')[0] ?? '';
}

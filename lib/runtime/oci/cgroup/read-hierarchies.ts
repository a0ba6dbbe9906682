import type { CgroupHierarchy } from './cgroup-view.js';

/**
 * The hierarchies of a host, from the text of /proc/self/mountinfo. `v2Controllers` gives the content of
 * `cgroup.controllers` in a directory. A host with memory or pids in v1 is a v1 host; what its v2 hierarchy may have is
 * left alone then, since a process can be in one group of each only by two different means.
 *
 * @see proc(5), "/proc/pid/mountinfo"
 */
export function readHierarchies(
  mountInfo: string,
  v2Controllers: (directory: string) => string,
): readonly CgroupHierarchy[] {
  const found = mountInfo.split('\n').flatMap((line) => parseLine(line, v2Controllers));
  const unique = found.filter(
    (each, index) => found.findIndex((other) => other.controllers.join() === each.controllers.join()) === index,
  );
  const v1 = unique.filter((each) => each.version === 1);
  return v1.some((each) => each.controllers.some((name) => !name.startsWith('name=')))
    ? v1
    : unique.filter((each) => each.version === 2);
}

/** Options of a v1 superblock that are no controllers. */
const noControllers = /^(?:rw|ro|xattr|clone_children|noprefix|release_agent=.*|cpuset_v2_mode|favordynmods)$/;

function parseLine(line: string, v2Controllers: (directory: string) => string): CgroupHierarchy[] {
  const fields = line.split(' ');
  const dash = fields.indexOf('-');
  const [type, , options = ''] = dash < 0 ? [] : fields.slice(dash + 1);
  const directory = unescapePath(fields[4] ?? '');
  if (type === 'cgroup2')
    return [{ version: 2, directory, controllers: v2Controllers(directory).trim().split(/\s+/).filter(Boolean) }];
  if (type !== 'cgroup') return [];
  return [{ version: 1, directory, controllers: options.split(',').filter((each) => !noControllers.test(each)) }];
}

const unescapePath = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

import { readMounts } from './outside-resources.js';

/** What a mount forbids. */
export interface MountRestrictions {
  readonly target: string;
  readonly restrictions: readonly string[];
}

const restricting = new Set(['ro', 'nosuid', 'nodev', 'noexec']);

/** What the mounts of a container forbid, those that cover others at the same place last. */
export function mountRestrictions(pid: number): readonly MountRestrictions[] {
  return readMounts(pid).map(({ target, attributes }) => {
    return { target, restrictions: attributes.filter((each) => restricting.has(each)) };
  });
}

/** What restored mounts allow that was forbidden; undefined when there is no such thing. What masks a file is read-only or not. */
export function missingRestriction(
  before: readonly MountRestrictions[],
  after: readonly MountRestrictions[],
  masked: ReadonlySet<string>,
): string | undefined {
  const now = new Map<string, ReadonlySet<string>>();
  for (const { target, restrictions } of after) now.set(target, new Set(restrictions)); // the last is on top
  const wanted = new Map(before.map(({ target, restrictions }) => [target, restrictions]));
  for (const [target, restrictions] of wanted) {
    if (masked.has(target)) {
      if (!now.has(target)) return `${target} is not masked`;
      continue;
    }
    const missing = restrictions.find((each) => now.get(target)?.has(each) !== true);
    if (missing !== undefined) return `${target} is not ${missing}`;
  }
  return undefined;
}

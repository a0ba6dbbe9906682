import { EngineError } from '../../core/errors/engine-error.js';

/** The group that holds all containers, so that a later engine finds what was left behind. */
export const engineGroup = 'tscontainer';

/**
 * The parts of a parent path, relative to the root of a hierarchy. `/` and the empty string are the root.
 *
 * @throws EngineError `INVALID_OPTION` naming `cgroupParent`.
 */
export function parseCgroupParent(parent: string): readonly string[] {
  const parts = parent.split('/').filter((part) => part !== '');
  if (parts.every((part) => isPlain(part)) && parent.length <= 4096) return parts;
  throw invalid('cgroupParent', parent);
}

/** The same with the engine's group: where containers are. @throws EngineError `INVALID_OPTION`. */
export const sharedParts = (parent: string): readonly string[] => [...parseCgroupParent(parent), engineGroup];

/** @throws EngineError `INVALID_OPTION` for an id that is not one plain part of a path. */
export function checkCgroupId(id: string): string {
  if (isPlain(id) && !id.includes('/')) return id;
  throw invalid('id', id);
}

/** A leading dot or a name of the kernel's own files would not make a group of its own. */
function isPlain(part: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.:@\\-]{0,254}$/.test(part) && !/^(?:cgroup\.|tasks$)/.test(part);
}

function invalid(option: string, got: string): EngineError {
  return new EngineError('INVALID_OPTION', {
    option,
    expected: "names of letters, digits and _ . : @ - below the cgroup root, without '..'",
    got: JSON.stringify(got.slice(0, 200)),
  });
}

import { EngineError } from '../core/errors/engine-error.js';
import type { ContainerSettings, Ulimit, UlimitName } from './container-options.js';

/** @see getrlimit(2), asm-generic/resource.h */
const resources: Readonly<Record<UlimitName, number>> = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
};

/** One resource limit by its number. @see getrlimit(2) */
export interface ResourceLimit {
  readonly resource: number;
  /** -1 is unlimited. */
  readonly soft: number;
  readonly hard: number;
}

/** @throws EngineError `INVALID_OPTION` naming the limit. */
export function parseUlimits(ulimits: ContainerSettings['ulimits'] = {}): readonly ResourceLimit[] {
  return Object.entries(ulimits).map(([name, limit]) => {
    const resource = Object.hasOwn(resources, name) ? resources[name as UlimitName] : undefined;
    const { soft, hard } = bothOf(limit);
    const sane = [soft, hard].every((value) => Number.isSafeInteger(value) && value >= -1);
    if (resource === undefined || !sane || (hard !== -1 && (soft === -1 || soft > hard))) {
      throw new EngineError('INVALID_OPTION', {
        option: `ulimits.${name}`,
        expected: `a whole number or { soft, hard } with soft ≤ hard, of ${Object.keys(resources).join(', ')}`,
        got: JSON.stringify(limit),
      });
    }
    return { resource, soft, hard };
  });
}

const bothOf = (limit: Ulimit): { soft: number; hard: number } =>
  typeof limit === 'number' ? { soft: limit, hard: limit } : { soft: limit?.soft, hard: limit?.hard };

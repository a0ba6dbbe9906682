import type { WriteFile } from '../../launch-plan.js';
import type { MemoryLimits } from '../resources.js';

/**
 * Writes of the two memory limits, in the order that the kernel accepts: memory may at no moment exceed memory+swap. So
 * memory+swap goes first when it rises above its `current` value, and last otherwise. A new group has no limit.
 */
export function memoryWrites(
  directory: string,
  limits: MemoryLimits,
  swap: boolean,
  currentWithSwap: number | 'unlimited' = 'unlimited',
): WriteFile[] {
  const { bytes } = limits.withSwap;
  const limit: WriteFile = {
    op: 'write-file',
    path: `${directory}/memory.limit_in_bytes`,
    data: String(limits.limit),
  };
  if (!swap) return [limit];
  const withSwap: WriteFile = {
    op: 'write-file',
    path: `${directory}/memory.memsw.limit_in_bytes`,
    data: bytes === 'unlimited' ? '-1' : String(bytes),
  };
  const rises = currentWithSwap !== 'unlimited' && (bytes === 'unlimited' || bytes > currentWithSwap);
  return rises ? [withSwap, limit] : [limit, withSwap];
}

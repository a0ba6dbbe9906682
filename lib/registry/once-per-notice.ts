import type { OnRegistryNotice } from './registry-notice.js';

/** More is not remembered: a registry that says something new each time is heard all the same, at most so often. */
const maxNotices = 64;

/** Passes each notice on once. */
export function oncePerNotice(listener: OnRegistryNotice): OnRegistryNotice {
  const seen = new Set<string>();
  return (notice) => {
    const key = JSON.stringify(notice);
    if (seen.has(key) || seen.size >= maxNotices) return;
    seen.add(key);
    listener(notice);
  };
}

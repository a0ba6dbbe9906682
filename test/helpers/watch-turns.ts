import { readFileSync } from 'node:fs';

/**
 * Watches how much processor time this thread spends in one turn of its event loop. Elapsed time would blame the loop
 * for what other processes of the machine do.
 */
export function watchTurns(): { longestMs(): number } {
  const spentNs = (): number => Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]);
  let last = spentNs();
  let longestNs = 0;
  const timer = setInterval(() => {
    const now = spentNs();
    longestNs = Math.max(longestNs, now - last);
    last = now;
  }, 1);
  return {
    longestMs: () => {
      clearInterval(timer);
      return longestNs / 1e6;
    },
  };
}

import { readFileSync } from 'node:fs';

/** Watches the event loop of this thread. */
export interface StallWatch {
  /**
   * Ends the watch. The longest time, in milliseconds, in which no turn began, without the time for which this thread was
   * ready to run and the machine's processors were busy with others: that is the machine's doing, not the program's.
   */
  stop(): number;
}

/** Begins to watch. @see kernel Documentation/scheduler/sched-stats.rst, /proc/PID/schedstat */
export function watchStalls(): StallWatch {
  let longest = 0;
  let last = performance.now();
  let lastWaited = waitedMs();
  const look = (): void => {
    const now = performance.now();
    const waited = waitedMs();
    longest = Math.max(longest, now - last - (waited - lastWaited));
    last = now;
    lastWaited = waited;
  };
  const timer = setInterval(look, 1);
  return {
    stop() {
      look();
      clearInterval(timer);
      return longest;
    },
  };
}

/** How long the main thread has waited for a processor so far. */
function waitedMs(): number {
  const [, waitedNs = '0'] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ');
  return Number(waitedNs) / 1e6;
}

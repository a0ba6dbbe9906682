/** setTimeout takes longer ones for 1. @see Node.js, timers, "setTimeout" */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

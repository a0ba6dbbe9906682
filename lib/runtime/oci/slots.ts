import { invalidConfig } from './invalid-config.js';

/** Numbers of the two rows of slots in a plan. */
export interface Slots {
  mount(): number;
  /** For processes, namespaces, sockets. */
  target(): number;
}

/** As in native/src/launch.h. */
const maxMounts = 256;
const maxTargets = 64;

export function createSlots(): Slots {
  let mounts = 0;
  let targets = 0;
  return {
    mount: () => (mounts < maxMounts ? mounts++ : invalidConfig('mounts', `more than ${maxMounts} mounts and devices`)),
    target: () => (targets < maxTargets ? targets++ : invalidConfig('linux', `more than ${maxTargets} namespaces`)),
  };
}

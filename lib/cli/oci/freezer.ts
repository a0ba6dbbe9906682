import { readFileSync, writeFileSync } from 'node:fs';
import { EngineError } from '../../core/errors/engine-error.js';
import type { ContainerRecord } from './container-record.js';

/** Stops and continues all processes of a container. */
export interface Freezer {
  isFrozen(): boolean;
  /** @throws EngineError `SYSTEM_CALL_FAILED` when the kernel does not get it done within a second. */
  freeze(): void;
  thaw(): void;
}

const patienceMs = 1000;

/** Undefined where the container has no cgroup that can freeze. */
export function freezerOf(record: ContainerRecord): Freezer | undefined {
  const { version, directories, path } = record.cgroup;
  if (version === 'v2' && directories[0] !== undefined) {
    const events = `${directories[0]}/cgroup.events`;
    return fileFreezer(`${directories[0]}/cgroup.freeze`, '1', '0', () => /^frozen 1$/m.test(read(events)));
  }
  const directory = directories.find((each) => each.endsWith(`/freezer${path}`) || /\/freezer,|,freezer/.test(each));
  if (directory === undefined) return undefined;
  const file = `${directory}/freezer.state`;
  return fileFreezer(file, 'FROZEN', 'THAWED', () => read(file).trim() !== 'THAWED' && read(file).trim() !== '');
}

function fileFreezer(file: string, frozen: string, thawed: string, isFrozen: () => boolean): Freezer {
  return {
    isFrozen,
    thaw: () => writeFileSync(file, thawed),
    freeze: () => {
      // v1 leaves the group half frozen while a process is in fork(2); writing again goes on.
      const deadline = performance.now() + patienceMs;
      do writeFileSync(file, frozen);
      while (frozen === 'FROZEN' && read(file).trim() === 'FREEZING' && performance.now() < deadline);
      while (!isFrozen() && performance.now() < deadline);
      if (isFrozen() && read(file).trim() !== 'FREEZING') return;
      writeFileSync(file, thawed);
      throw new EngineError('SYSTEM_CALL_FAILED', { syscall: 'write', errno: 'EBUSY', operand: file, hint: '' });
    },
  };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // the group has gone with the container
  }
}
